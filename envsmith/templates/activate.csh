# Activates the environment of the profile @NAME@ in tcsh and in csh, its other name. Written by `envsmith lock`.
#
#     source lockfiles/@NAME@/activate.csh
#
# `deactivate` restores the session. The environment is found by the location of this file, or given by
# ENVSMITH_PREFIX. Lines with `set _es_value_` contain single-quoted data that is never expanded. Values are passed as
# $name:q, because "${name:q}" loses a backslash before a line break.

set _es_value_ENVSMITH_PROFILE = @PROFILE@
@VALUES@
set _es_names = (ENVSMITH_PROFILE @NAMES@)
if (! $?_es_job) set _es_job = activate
set _es_words = ''
set _es_said = ''

if ("$_es_job" == activate) then
    set _es_me = ''
    if ($?0) then
        if ("${0:q}" =~ *activate.csh) set _es_me = "${0:q}"
    endif
    if ("${_es_me:q}" != '') then
        set _es_job = none
        set _es_words = "envsmith: this file must be read by your shell, not executed:  source ${_es_me:q}"
    else
        # csh does not expose the file that it reads; on Linux the kernel does. First try the usual places, without a program.
        if (-d /proc/$$/fd) then
            foreach _es_k ("$cwd:q/lockfiles/@NAME@/activate.csh" "$cwd:q/.venv/bin/activate.csh")
                if ("${_es_me:q}" == '' && -f "${_es_k:q}") then
                    foreach _es_e (/proc/$$/fd/*)
                        if (-F "${_es_e:q}" == -F "${_es_k:q}") set _es_me = "${_es_k:q}"
                    end
                endif
            end
            if ("${_es_me:q}" == '') then
                foreach _es_e ("`set path = (/usr/bin /bin /run/current-system/sw/bin); \find /proc/$$/fd -lname '*/activate.csh' -printf '%l\n'`")
                    if ("${_es_e:q}" != '') set _es_me = "${_es_e:q}"
                end
            endif
        endif
        if ("${_es_me:q}" == '') set _es_me = "$cwd:q/lockfiles/@NAME@/activate.csh"
        set _es_e = "${_es_me:h:q}"
        set _es_prefix = ''
        if ($?ENVSMITH_PREFIX) eval 'set _es_prefix = $ENVSMITH_PREFIX:q'
        if ("${_es_prefix:q}" != '') then
            if ("${_es_prefix:q}" =~ ?*/) set _es_prefix = "${_es_prefix:h:q}"
        else if (-e "${_es_e:q}/../pyvenv.cfg") then
            set _es_prefix = "${_es_e:h:q}"
        else
            set _es_e = "${_es_e:h:q}"
            set _es_prefix = "${_es_e:h:q}/.venv"
        endif
        if ("${_es_prefix:q}" =~ */.envsmith/*/*) then
            # The kernel does not report the link either: prefer the project's own, which stays valid after an install
            # or rollback.
            set _es_e = "${_es_prefix:h:q}"
            set _es_e = "${_es_e:h:q}"
            set _es_e = "${_es_e:h:q}/.venv"
            if (-d "${_es_e:q}") then
                if (-F "${_es_e:q}" == -F "${_es_prefix:q}") set _es_prefix = "${_es_e:q}"
            endif
        endif
    endif
endif
if ("$_es_job" == activate) then
    if ("${_es_prefix:q}" !~ /*) set _es_prefix = "$cwd:q/${_es_prefix:q}"
    set _es_bin = "${_es_prefix:q}/bin"
    if (! -f "${_es_me:q}" && -d "${_es_prefix:q}/@MARK@") set _es_me = "${_es_bin:q}/activate.csh"
    if (! -d "${_es_bin:q}") then
        set _es_job = none
        set _es_words = "envsmith: no environment at ${_es_prefix:q}: run envsmith install @NAME@"
    else if (! -f "${_es_me:q}") then
        # deactivate reads it again.
        set _es_job = none
        set _es_words = "envsmith: cannot find the location of this file: source it in the folder of its project"
    else if ("${_es_bin:q}" =~ *:*) then
        set _es_job = none
        set _es_words = "envsmith: ${_es_bin:q} cannot be on PATH: it contains a colon"
    else if (-d "${_es_prefix:q}/@MARK@" && ! -e "${_es_prefix:q}/@MARK@/@NAME@") then
        set _es_job = none
        foreach _es_e ("${_es_prefix:q}"/@MARK@/*)
            set _es_words = "envsmith: the environment at ${_es_prefix:q} was built for the profile ${_es_e:t:q}, not @NAME@: run envsmith install @NAME@"
        end
    endif
endif

if ("$_es_job" == activate && ! $?_ENVSMITH_CHANGED && $?VIRTUAL_ENV) then
    # Of another tool's environment: let that tool restore the session.
    if ("`alias deactivate`" != '') then
        eval deactivate
    endif
endif

if ("$_es_job" != none && $?_ENVSMITH_CHANGED) then
    foreach _es_n ($_ENVSMITH_CHANGED)
        set _es_is = ''
        set _es_was = ''
        set _es_now = ''
        eval 'set _es_has = $?'$_es_n
        eval 'set _es_had = $?_ENVSMITH_WAS_'$_es_n
        eval 'set _es_did = $?_ENVSMITH_NOW_'$_es_n
        if ($_es_has) eval 'set _es_is = $'$_es_n':q'
        if ($_es_had) eval 'set _es_was = $_ENVSMITH_WAS_'$_es_n':q'
        if ($_es_did) eval 'set _es_now = $_ENVSMITH_NOW_'$_es_n':q'
        set _es_same = 0
        if ($_es_has == $_es_did && "${_es_is:q}" == "${_es_now:q}") set _es_same = 1
        if ($_es_same) then
            if ($_es_had) then
                setenv $_es_n $_es_was:q
            else
                unsetenv $_es_n
            endif
        else if ($_es_n == PATH || $_es_n =~ *LIBRARY_PATH) then
            # Changed since: restore the entries of a list at their places. csh splits only PATH at colons.
            set _es_old = $PATH:q
            setenv PATH $_es_now:q
            set _es_kept = ($path:q)
            setenv PATH $_es_was:q
            set _es_rest = ($path:q)
            setenv PATH $_es_is:q
            set _es_list = ($path:q)
            if ("${_es_now:q}" == '') set _es_kept = ()
            if ("${_es_was:q}" == '') set _es_rest = ()
            if ("${_es_is:q}" == '') set _es_list = ()
            setenv PATH $_es_old:q
            set _es_add = ''
            if ($_es_n == PATH) then
                set _es_add = "$_es_kept[1]:q"
                shift _es_kept
            endif
            set _es_out = ()
            foreach _es_e ($_es_list:q '')
                set _es_stop = 0
                if ("${_es_add:q}" != '' && "${_es_e:q}" == "${_es_add:q}") then
                    set _es_add = ''
                    continue
                endif
                # Number of saved entries before this one: all of them at the end, none for the user's own entry.
                set _es_count = 0
                if ("${_es_e:q}" == '') then
                    set _es_count = $#_es_rest
                else
                    foreach _es_k ($_es_kept:q)
                        if ("${_es_k:q}" == "${_es_e:q}") set _es_stop = 1
                    end
                    if ($_es_stop) then
                        set _es_stop = 0
                        foreach _es_s ($_es_rest:q)
                            @ _es_stop++
                            if ("${_es_s:q}" == "${_es_e:q}") then
                                set _es_count = $_es_stop
                                break
                            endif
                        end
                    endif
                endif
                while ($_es_count)
                    set _es_s = "$_es_rest[1]:q"
                    shift _es_rest
                    @ _es_count--
                    if ("${_es_s:q}" == "${_es_e:q}") break
                    set _es_stop = 0
                    foreach _es_k ($_es_kept:q)
                        if ("${_es_k:q}" == "${_es_s:q}") set _es_stop = 1
                    end
                    foreach _es_k ($_es_out:q)
                        if ("${_es_k:q}" == "${_es_s:q}") set _es_stop = 0
                    end
                    if (! $_es_stop) set _es_out = ($_es_out:q $_es_s:q)
                end
                if ("${_es_e:q}" != '') set _es_out = ($_es_out:q $_es_e:q)
            end
            if ($#_es_out) then
                set path = ($_es_out:q)
                set _es_is = $PATH:q
                setenv PATH $_es_old:q
                setenv $_es_n $_es_is:q
            else
                unsetenv $_es_n
            endif
        endif
        unsetenv _ENVSMITH_WAS_$_es_n
        unsetenv _ENVSMITH_NOW_$_es_n
    end
    unsetenv _ENVSMITH_CHANGED
    if ($?_envsmith_prompt) then
        set prompt = "${_envsmith_prompt:q}"
        unset _envsmith_prompt
    endif
    unalias deactivate
    if ("$_es_job" == deactivate) unset _envsmith_script
endif

if ("$_es_job" == activate) then
    if ($?VIRTUAL_ENV) eval 'setenv _ENVSMITH_WAS_VIRTUAL_ENV $VIRTUAL_ENV:q'
    if ($?VIRTUAL_ENV_PROMPT) eval 'setenv _ENVSMITH_WAS_VIRTUAL_ENV_PROMPT $VIRTUAL_ENV_PROMPT:q'
    setenv VIRTUAL_ENV $_es_prefix:q
    setenv VIRTUAL_ENV_PROMPT '@NAME@'
    setenv _ENVSMITH_NOW_VIRTUAL_ENV $_es_prefix:q
    setenv _ENVSMITH_NOW_VIRTUAL_ENV_PROMPT '@NAME@'
    set _es_gone = ()
    if (-f "${_es_prefix:q}/@CONSTRAINTS@") then
        set _es_e = "${_es_prefix:q}/@CONSTRAINTS@"
        if ("${_es_e:q}" =~ *\ * && "${_es_e:q}" !~ *\\*) then
            # pip and uv split values at white space, and take URLs.
            set _es_e = "$_es_e:as/%/%25/"
            set _es_e = "$_es_e:as/ /%20/"
            set _es_e = "$_es_e:as/#/%23/"
            set _es_e = "file://$_es_e:as/?/%3F/"
        endif
        if ("${_es_e:q}" !~ *[\ \	]*) then
            foreach _es_n (@GUARDS@)
                set _es_value_$_es_n = "${_es_e:q}"
            end
            set _es_names = (@GUARDS@ $_es_names)
        endif
    endif
    set _es_had_path = $?PATH
    if (! $_es_had_path) set path = ($path:q)
    # csh is slow, above all at PATH, whose folders it reads on each assignment: use few commands per entry, and `set -f`
    # to drop duplicates.
    foreach _es_n (@LIBRARIES@)
        eval 'set _es_has = $?'$_es_n
        if ($_es_has) then
            # csh splits only PATH at colons.
            set _es_old = $PATH:q
            eval 'set _es_is = $'$_es_n':q'
            setenv PATH $_es_is:q
            set _es_list = ($path:q)
            setenv PATH $_es_old:q
            set _es_kept = ()
            foreach _es_e ($_es_list:q)
                # envsmith's rules: the first match wins.
                if ("${_es_e:q}" =~ /* && ! ( \
@EVERY_RULE@)) set -f _es_kept = ($_es_kept:q $_es_e:q)
            end
            set _es_rest = ($_es_kept:q '')
            set _es_out = ''
            set _es_text = ''
            foreach _es_e ($_es_list:q)
                if ("${_es_e:q}" == "${_es_rest[1]:q}") then
                    shift _es_rest
                    set _es_text = "${_es_text:q}:${_es_e:q}"
                else
                    set _es_out = "${_es_out:q} ${_es_e:q},"
                endif
            end
            if ("${_es_out:q}" != '') then
                set _es_said = "${_es_said:q} $_es_n${_es_out:q}"
                if ($#_es_kept) then
                    set _es_value_$_es_n = "${_es_text:s/://:q}"
                    set _es_names = ($_es_names $_es_n)
                else
                    set _es_gone = ($_es_gone $_es_n)
                endif
            endif
        endif
    end
    set _es_list = ($path:q)
    set _es_kept = ($_es_bin:q)
    foreach _es_e ($_es_list:q)
        if ("${_es_e:q}" =~ /* && ! ( \
@RULES@)) set -f _es_kept = ($_es_kept:q $_es_e:q)
    end
    # Number of removed entries, to stop when all are found.
    @ _es_count = $#_es_list + 1 - $#_es_kept
    if ($_es_count) then
        set _es_rest = ($_es_kept:q '')
        set _es_out = ''
        shift _es_rest
        foreach _es_e ($_es_list:q)
            if ("${_es_e:q}" == "${_es_rest[1]:q}") then
                shift _es_rest
            else
                if ("${_es_e:q}" != "${_es_bin:q}") set _es_out = "${_es_out:q} ${_es_e:q},"
                @ _es_count--
                if (! $_es_count) break
            endif
        end
        if ("${_es_out:q}" != '') set _es_said = "${_es_said:q} PATH${_es_out:q}"
    endif
    foreach _es_n (@UNSET@)
        eval 'if ($?'$_es_n') set _es_gone = ($_es_gone '$_es_n')'
    end
    setenv _ENVSMITH_CHANGED "VIRTUAL_ENV VIRTUAL_ENV_PROMPT $_es_names $_es_gone PATH"
    foreach _es_n ($_es_names)
        eval 'set _es_has = $?'$_es_n
        if ($_es_has) eval 'setenv _ENVSMITH_WAS_'$_es_n' $'$_es_n':q'
        eval 'setenv _ENVSMITH_NOW_'$_es_n' $_es_value_'$_es_n':q; setenv '$_es_n' $_es_value_'$_es_n':q'
    end
    foreach _es_n ($_es_gone)
        if ($_es_n !~ *LIBRARY_PATH) set _es_said = "${_es_said:q} $_es_n,"
        eval 'setenv _ENVSMITH_WAS_'$_es_n' $'$_es_n':q; unsetenv '$_es_n
    end
    if ($_es_had_path) setenv _ENVSMITH_WAS_PATH $PATH:q
    set path = ($_es_kept:q)
    setenv _ENVSMITH_NOW_PATH $PATH:q
    set _es_e = ''
    if ($?VIRTUAL_ENV_DISABLE_PROMPT) eval 'set _es_e = $VIRTUAL_ENV_DISABLE_PROMPT:q'
    if ($?prompt && "${_es_e:q}" == '') then
        set _envsmith_prompt = "${prompt:q}"
        set prompt = "(@NAME@) ${prompt:q}"
    endif
    set _envsmith_script = "${_es_me:q}"
    alias deactivate 'set _es_job = deactivate; source "${_envsmith_script:q}"'
    set _es_e = ''
    if ($?ENVSMITH_QUIET) eval 'set _es_e = $ENVSMITH_QUIET:q'
    if ("${_es_said:q}" != '' && "${_es_e:q}" == '') then
        set _es_words = "envsmith: removed until deactivate:${_es_said:q}"
    endif
endif

if ("${_es_words:q}" != '') then
    /bin/sh -c 'case $1 in *[[:cntrl:]]*) set -- "$(printf %s "$1" | tr "[:cntrl:]" "?")" ;; esac; printf "%s\n" "${1%,}" >&2' \
        sh "${_es_words:q}"
endif
@ _es_failed = ("$_es_job" == none)
eval "unset _es_*; set status = $_es_failed"
