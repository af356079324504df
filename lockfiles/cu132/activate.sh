# Activates the environment of the profile cu132 in bash, zsh, dash and ksh. Written by `envsmith lock`.
#
#     . lockfiles/cu132/activate.sh
#
# `deactivate` restores the session. The environment is found by the location of this file, or given by
# ENVSMITH_PREFIX. All values below are single-quoted data that is never expanded.

_es_activate () {
    [ -z "${ZSH_VERSION-}" ] || emulate -L sh
    _es_me= _es_executed= _es_said= _es_prefix=${ENVSMITH_PREFIX-}
    _es_find_me
    case ${OSTYPE-} in msys* | cygwin*)
        # Git Bash: with a colon, a path of Windows cannot be an entry of PATH.
        case $_es_me in ?:[/\\]*) _es_me=$(\command cygpath -u -- "$_es_me") ;; esac
        case $_es_prefix in ?:[/\\]*) _es_prefix=$(\command cygpath -u -- "$_es_prefix") ;; esac
    esac
    if [ -n "$_es_executed" ]; then
        printf '%s\n' "envsmith: this file must be read by your shell, not executed:  . $_es_me" >&2
        return 1
    fi
    _es_find_prefix || return 1
    if [ -z "${_ENVSMITH_CHANGED-}" ] && [ -n "${VIRTUAL_ENV-}" ] && [ "$(command -v deactivate)" = deactivate ]; then
        deactivate  # of another tool's environment: let that tool restore the session
    fi
    _es_define
    deactivate again
    _es_set VIRTUAL_ENV "$_es_prefix"
    _es_set VIRTUAL_ENV_PROMPT 'cu132'
    _es_set ENVSMITH_PROFILE 'cu132'
    _es_clean PATH "$_es_bin"
    for _es_n in LD_LIBRARY_PATH DYLD_LIBRARY_PATH; do
        _es_clean "$_es_n"
    done
    for _es_n in PYTHONPATH PYTHONHOME CONDA_PREFIX; do
        eval "_es_e=\${$_es_n+x}"
        if [ -n "$_es_e" ]; then
            _es_said="$_es_said $_es_n;"
            _es_set "$_es_n"
        fi
    done
    if [ -f "$_es_prefix/envsmith-constraints.txt" ]; then
        _es_e=$_es_prefix/envsmith-constraints.txt
        case $_es_e in
            *' '*)  # pip and uv split values at white space, and take URLs, which Git Bash passes on as they are
                case ${OSTYPE-} in msys* | cygwin*) _es_e=/$(\command cygpath -m -- "$_es_e") ;; esac
                _es_replace % %25
                _es_replace ' ' %20
                _es_replace '#' %23
                _es_replace '?' %3F
                _es_replace '\' %5C
                _es_e=file://$_es_e
                ;;
        esac
        _es_kept=$_es_e
        case $_es_kept in
            *[[:space:]]*) ;;
            *)
                for _es_n in PIP_CONSTRAINT UV_CONSTRAINT; do
                    _es_set "$_es_n" "$_es_kept"
                done
                ;;
        esac
    fi
    if [ -n "${PS1-}" ] && [ -z "${VIRTUAL_ENV_DISABLE_PROMPT-}" ]; then
        _ENVSMITH_PROMPT='(cu132) '
        export _ENVSMITH_PROMPT
        PS1="$_ENVSMITH_PROMPT$PS1"
    fi
    hash -r 2>/dev/null || :
    if [ -n "$_es_said" ] && [ -z "${ENVSMITH_QUIET-}" ]; then
        printf '%s\n' "envsmith: removed until \`deactivate\`:${_es_said%;}" >&2
    fi
}

# Replace each text $1 of _es_e by $2.
_es_replace () {
    _es_rest=$_es_e _es_e=
    while case $_es_rest in *"$1"*) ;; *) false ;; esac; do
        _es_e=$_es_e${_es_rest%%"$1"*}$2 _es_rest=${_es_rest#*"$1"}
    done
    _es_e=$_es_e$_es_rest
}

# Find the path of this file, and whether it is sourced or executed.
_es_find_me () {
    if [ -n "${BASH_VERSION-}" ]; then
        eval '_es_me=${BASH_SOURCE[0]}'
        [ "$_es_me" != "$0" ] || _es_executed=1
    elif [ -n "${ZSH_VERSION-}" ]; then
        eval '_es_me=${(%):-%x}'
        # %x shows a line break as two characters; funcsourcetrace does not.
        [ -f "$_es_me" ] || eval '_es_me=${funcsourcetrace[0]%:*}'
        case ${ZSH_EVAL_CONTEXT-} in *file*) ;; *) _es_executed=1 ;; esac
    elif case ${KSH_VERSION-} in *93*) (eval ': "${.sh.file}"') 2>/dev/null ;; *) false ;; esac; then
        eval '_es_me=${.sh.file}'
        [ ! "$_es_me" -ef "$0" ] || _es_executed=1
    else
        case $0 in
            activate | */activate | activate.sh | */activate.sh) _es_me=$0 _es_executed=1 ;;
            *) [ -n "${ENVSMITH_PREFIX-}" ] || _es_ask_kernel ;;
        esac
    fi
}

# A plain POSIX shell does not expose the file that it reads; on Linux the kernel does.
_es_ask_kernel () {
    if [ -r /proc/self/stat ]; then
        IFS=' ' read -r _es_e _es_rest < /proc/self/stat
        for _es_n in 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3; do
            if [ -f "/proc/self/fd/$_es_n" ]; then
                _es_me=$(readlink "/proc/$_es_e/fd/$_es_n" 2>/dev/null; echo x)
                _es_me=${_es_me%?x}
                case $_es_me in */activate.sh | */activate) return 0 ;; esac
            fi
        done
    fi
    _es_me=$PWD/lockfiles/cu132/activate.sh
    [ -f "$_es_me" ] || _es_me=
}

# Follow a link to this file from outside of the project.
_es_follow () {
    while [ -h "$_es_me" ]; do
        _es_e=$(\command readlink "$_es_me" && echo x) || return 0
        _es_e=${_es_e%?x}
        case $_es_e in /*) _es_me=$_es_e ;; *) _es_me=${_es_me%/*}/$_es_e ;; esac
    done
}

# Set _es_prefix and _es_bin, or print an error.
_es_find_prefix () {
    if [ -n "$_es_prefix" ]; then
        :
    elif [ -z "$_es_me" ]; then
        printf '%s\n' 'envsmith: cannot find the location of this file: set ENVSMITH_PREFIX to the environment' >&2
        return 1
    else
        while case $_es_me in ./*) ;; *) false ;; esac; do
            _es_me=${_es_me#./}
        done
        case $_es_me in /* | ?:[/\\]*) ;; *) _es_me=$PWD/$_es_me ;; esac
        _es_how=-L
        case $_es_me in
            */lockfiles/*/activate.sh) ;;
            *)
                _es_follow
                [ ! -h "${_es_me%/*}" ] || _es_how=-P
                ;;
        esac
        _es_e=${_es_me%/*}
        case $_es_how$_es_me in
            -P* | */./* | */../* | *//*) _es_e=$(CDPATH= \command cd "$_es_how" -- "$_es_e" && pwd && echo x) && _es_e=${_es_e%?x} ;;
        esac
        if [ -f "$_es_e/../pyvenv.cfg" ]; then
            _es_prefix=${_es_e%/*}
        else
            _es_prefix=${_es_e%/*/*}/.venv
        fi
        # Prefer the project's own link: it stays valid after an install or rollback.
        _es_e=${_es_prefix%/.envsmith/*/*}/.venv
        [ "$_es_e" = "$_es_prefix/.venv" ] || [ ! "$_es_e" -ef "$_es_prefix" ] || _es_prefix=$_es_e
    fi
    case $_es_prefix in ?*/) _es_prefix=${_es_prefix%/} ;; esac
    case $_es_prefix in /* | ?:[/\\]*) ;; *) _es_prefix=$PWD/$_es_prefix ;; esac
    _es_bin=$_es_prefix/bin
    [ -d "$_es_bin" ] || _es_bin=$_es_prefix/Scripts
    if [ ! -d "$_es_bin" ]; then
        printf '%s\n' "envsmith: no environment at $_es_prefix: run \`envsmith install cu132\`" >&2
        return 1
    fi
    case $_es_bin in
        *:*) printf '%s\n' "envsmith: $_es_bin cannot be on PATH: it contains a colon" >&2; return 1 ;;
    esac
    if [ -d "$_es_prefix/envsmith-profile" ] && [ ! -e "$_es_prefix/envsmith-profile/cu132" ]; then
        for _es_e in "$_es_prefix/envsmith-profile"/*; do :; done
        printf '%s\n' "envsmith: the environment at $_es_prefix was built for the profile ${_es_e##*/}, not cu132: run \`envsmith install cu132\`" >&2
        return 1
    fi
}

# Set variable $1 to $2, or unset it, and save its old value.
_es_set () {
    eval "_es_e=\${$1+x}"
    if [ -n "$_es_e" ]; then
        if [ "$1" != PATH ]; then
            case $(export -p) in *" $1="*) ;; *) _ENVSMITH_LOCAL="${_ENVSMITH_LOCAL-} $1 " ;; esac
        fi
        eval "_ENVSMITH_WAS_$1=\$$1; export _ENVSMITH_WAS_$1"
    fi
    if [ $# -gt 1 ]; then
        eval "$1=\$2; export $1; _ENVSMITH_NOW_$1=\$2; export _ENVSMITH_NOW_$1"
    else
        unset "$1"
    fi
    _ENVSMITH_CHANGED="${_ENVSMITH_CHANGED-}$1 "
    export _ENVSMITH_CHANGED
}

# Remove foreign entries from list variable $1, and put $2 first.
_es_clean () {
    eval "_es_rest=\${$1-}\${$1+:}"
    _es_was=${_es_rest%:} _es_kept= _es_out=
    while [ -n "$_es_rest" ]; do
        _es_e=${_es_rest%%:*}
        _es_rest=${_es_rest#*:}
        if [ -n "${2-}" ] && [ "$_es_e" = "$2" ]; then
            continue
        elif _es_is_foreign "$1" || case ":$_es_kept" in *":$_es_e:"*) ;; *) false ;; esac; then
            case $_es_e in *[[:cntrl:]]*) _es_e='(one with control characters)' ;; '') _es_e='(empty)' ;; esac
            _es_out="$_es_out $_es_e,"
        else
            _es_kept=$_es_kept$_es_e:
        fi
    done
    [ -z "$_es_out" ] || _es_said="$_es_said $1${_es_out%,};"
    _es_kept=${2-}${2:+:}$_es_kept
    if [ -z "$_es_kept" ]; then
        [ -z "$_es_out" ] || _es_set "$1"
    elif [ "${_es_kept%:}" != "$_es_was" ]; then
        _es_set "$1" "${_es_kept%:}"
    fi
}

# Whether to remove entry _es_e from variable $1, by envsmith's rules: the first match wins.
_es_is_foreign () {
    case $_es_e in '') return 0 ;; /* | ?:[/\\]*) ;; *) return 0 ;; esac
    case $_es_e/ in *'/site-packages/'*) return 0 ;; esac
    case $_es_e/ in *'/dist-packages/'*) return 0 ;; esac
    case $_es_e/ in *'/condabin/'*) return 1 ;; esac
    [ ! -e "$_es_e"/'../pyvenv.cfg' ] || return 0
    [ ! -e "$_es_e"/'../conda-meta/history' ] || return 0
    [ ! -e "$_es_e"/'conda-meta/history' ] || return 0
    [ ! -e "$_es_e"/'../../conda-meta/history' ] || return 0
    [ "$1" != PATH ] || return 1
    case $_es_e/ in *'/cuda-13.'*) return 1 ;; esac
    case $_es_e/ in *'/cuda-13/'*) return 1 ;; esac
    case $_es_e/ in *'/cuda-'[0123456789]*) return 0 ;; esac
    [ ! -e "$_es_e"/'libcuda.so.1' ] || return 1
    [ ! -e "$_es_e"/'libcudart.so.13' ] || return 1
    [ ! -e "$_es_e"/'libcudart.so.10.0' ] || return 0
    [ ! -e "$_es_e"/'libcudart.so.10.1' ] || return 0
    [ ! -e "$_es_e"/'libcudart.so.10.2' ] || return 0
    [ ! -e "$_es_e"/'libcudart.so.11.0' ] || return 0
    [ ! -e "$_es_e"/'libcudart.so.12' ] || return 0
    [ ! -e "$_es_e"/'libcudart.so.14' ] || return 0
    return 1
}

_es_define () {
    deactivate () {
        [ -z "${ZSH_VERSION-}" ] || emulate -L sh
        case ${_ENVSMITH_CHANGED-} in '' | *' ') ;; *) _ENVSMITH_CHANGED="$_ENVSMITH_CHANGED " ;; esac
        while [ -n "${_ENVSMITH_CHANGED-}" ]; do
            _es_n=${_ENVSMITH_CHANGED%% *}
            _ENVSMITH_CHANGED=${_ENVSMITH_CHANGED#* }
            case $_es_n in '' | [0123456789]* | *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_]*) continue ;; esac
            eval "_es_was=\${_ENVSMITH_WAS_$_es_n-} _es_had=\${_ENVSMITH_WAS_$_es_n+x}"
            eval "_es_now=\${_ENVSMITH_NOW_$_es_n-} _es_did=\${_ENVSMITH_NOW_$_es_n+x}"
            eval "_es_is=\${$_es_n-} _es_has=\${$_es_n+x}"
            unset "_ENVSMITH_WAS_$_es_n" "_ENVSMITH_NOW_$_es_n"
            if [ "$_es_has$_es_is" != "$_es_did$_es_now" ]; then
                # Changed since: keep a single value, and restore the entries of a list at their places.
                case $_es_n in PATH | LD_LIBRARY_PATH | DYLD_LIBRARY_PATH) ;; *) continue ;; esac
                _es_kept=:$_es_now${_es_now:+:} _es_add=
                if [ "$_es_n" = PATH ]; then
                    _es_add=${_es_now%%:*} _es_kept=:${_es_kept#:*:}
                fi
                _es_out= _es_is=$_es_is${_es_is:+:} _es_rest=$_es_was${_es_had:+:}
                while [ -n "$_es_is" ]; do
                    _es_e=${_es_is%%:*}
                    _es_is=${_es_is#*:}
                    if [ -n "$_es_add" ] && [ "$_es_e" = "$_es_add" ]; then
                        _es_add=
                        continue
                    fi
                    case $_es_kept in
                        *":$_es_e:"*)
                            while case ":$_es_rest" in *":$_es_e:"*) ;; *) false ;; esac; do
                                _es_s=${_es_rest%%:*}
                                _es_rest=${_es_rest#*:}
                                [ "$_es_s" != "$_es_e" ] || break
                                case $_es_kept in
                                    *":$_es_s:"*) case ":$_es_out" in *":$_es_s:"*) ;; *) continue ;; esac ;;
                                esac
                                _es_out=$_es_out$_es_s:
                            done
                            ;;
                    esac
                    _es_out=$_es_out$_es_e:
                done
                while [ -n "$_es_rest" ]; do
                    _es_s=${_es_rest%%:*}
                    _es_rest=${_es_rest#*:}
                    case $_es_kept in
                        *":$_es_s:"*) case ":$_es_out" in *":$_es_s:"*) ;; *) continue ;; esac ;;
                    esac
                    _es_out=$_es_out$_es_s:
                done
                _es_had=${_es_out:+x} _es_was=${_es_out%:}
            fi
            if [ -n "$_es_had" ]; then
                case ${_ENVSMITH_LOCAL-} in *" $_es_n "*) unset "$_es_n" ;; esac
                eval "$_es_n=\$_es_was"
                case ${_ENVSMITH_LOCAL-} in *" $_es_n "*) ;; *) export "$_es_n" ;; esac
            else
                unset "$_es_n"
            fi
        done
        if [ -n "${_ENVSMITH_PROMPT-}" ] && [ -n "${PS1-}" ]; then
            PS1=${PS1#"$_ENVSMITH_PROMPT"}
        fi
        hash -r 2>/dev/null || :
        unset _ENVSMITH_CHANGED _ENVSMITH_LOCAL _ENVSMITH_PROMPT
        unset _es_n _es_was _es_had _es_now _es_did _es_is _es_has _es_kept _es_add _es_out _es_rest _es_e _es_s
        [ "${1-}" = again ] || unset -f deactivate
    }
}

if _es_activate; then
    _es_e=0
else
    _es_e=1
fi
unset -f _es_activate _es_find_me _es_ask_kernel _es_follow _es_find_prefix _es_set _es_clean _es_is_foreign _es_define _es_replace
unset _es_me _es_how _es_executed _es_said _es_prefix _es_bin _es_n _es_rest _es_kept _es_was _es_out
if [ "$_es_e" = 0 ]; then
    unset _es_e
else
    unset _es_e
    false
fi
