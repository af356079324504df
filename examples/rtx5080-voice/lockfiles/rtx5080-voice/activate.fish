# Activates the environment of the profile rtx5080-voice in fish. Written by `envsmith lock`.
#
#     source lockfiles/rtx5080-voice/activate.fish
#
# `deactivate` restores the session. The environment is found by the location of this file, or given by
# ENVSMITH_PREFIX. All values below are single-quoted data that is never expanded.

function _es_activate
    if test -z "$_es_trace"
        echo "envsmith: this file must be read by your shell, not executed:  source $_es_me" >&2
        return 1
    end
    _es_find_prefix; or return 1
    if functions -q deactivate; and set -q VIRTUAL_ENV; and not set -q _ENVSMITH_CHANGED
        deactivate # of another tool's environment: let that tool restore the session
    end
    _es_define
    deactivate again
    _es_set VIRTUAL_ENV "$_es_prefix"
    _es_set VIRTUAL_ENV_PROMPT 'rtx5080-voice'
    _es_set ENVSMITH_PROFILE 'rtx5080-voice'
    _es_clean PATH "$_es_bin"
    for name in LD_LIBRARY_PATH DYLD_LIBRARY_PATH
        _es_clean $name
    end
    for name in PYTHONPATH PYTHONHOME CONDA_PREFIX
        if set -q $name
            set -ga _es_said $name
            _es_set $name
        end
    end
    set -l guard "$_es_prefix/envsmith-constraints.txt"
    if test -f "$guard"
        # pip and uv split values at white space, and take URLs.
        string match -qr '\s' -- "$guard"; and set guard file://(string escape --style=url -- "$guard")
        for name in PIP_CONSTRAINT UV_CONSTRAINT
            _es_set $name "$guard"
        end
    end
    if status is-interactive; and test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
        _es_show_prompt
    end
    if set -q _es_said[1]; and test -z "$ENVSMITH_QUIET"
        printf '%s\n' "envsmith: removed until `deactivate`: "(string join -- '; ' $_es_said) >&2
    end
    return 0
end

# Set _es_prefix and _es_bin, or print an error.
function _es_find_prefix
    if test -n "$ENVSMITH_PREFIX"
        set -g _es_prefix "$ENVSMITH_PREFIX"
    else if test "$_es_me" = -
        echo 'envsmith: cannot find the location of this script: set ENVSMITH_PREFIX to the environment' >&2
        return 1
    else
        set -l folder (string replace -r '(^|/)[^/]*$' '$1' -- "$_es_me" | string collect)
        set folder (builtin realpath -s -- "$folder." | string collect)
        # Follow a link to this file from outside of the project.
        if not string match -qr '/lockfiles/[^/]*$' -- "$folder"; and begin test -L "$_es_me"; or test -L "$folder"; end
            set folder (builtin realpath -- "$_es_me" | string collect)
            set folder (string replace -r '/[^/]*$' '' -- "$folder" | string collect)
        end
        if test -f "$folder/../pyvenv.cfg"
            set -g _es_prefix (string replace -r '/[^/]*$' '' -- "$folder" | string collect)
        else
            set -g _es_prefix (string replace -r '(/[^/]*){2}$' '' -- "$folder" | string collect)/.venv
        end
        # Prefer the project's own link: it stays valid after an install or rollback.
        set -l own (string replace -r '/\.envsmith/[^/]*/[^/]*$' '/.venv' -- "$_es_prefix" | string collect)
        if test "$own" != "$_es_prefix"; and test "$(builtin realpath -- "$own" 2>/dev/null | string collect)" = "$(builtin realpath -- "$_es_prefix" | string collect)"
            set -g _es_prefix "$own"
        end
    end
    set -g _es_prefix (string replace -r '(?<=.)/$' '' -- "$_es_prefix" | string collect)
    string match -q -- '/*' "$_es_prefix"; or set -g _es_prefix "$PWD/$_es_prefix"
    set -g _es_bin "$_es_prefix/bin"
    if not test -d "$_es_bin"
        printf '%s\n' "envsmith: no environment at $_es_prefix: run `envsmith install rtx5080-voice`" >&2
        return 1
    end
    if string match -q -- '*:*' "$_es_bin"
        printf '%s\n' "envsmith: $_es_bin cannot be on PATH: it contains a colon" >&2
        return 1
    end
    if test -d "$_es_prefix/envsmith-profile"; and not test -e "$_es_prefix/envsmith-profile/rtx5080-voice"
        set -l other (string replace -r '.*/' '' -- "$_es_prefix/envsmith-profile"/*)
        printf '%s\n' "envsmith: the environment at $_es_prefix was built for the profile $other, not rtx5080-voice: run `envsmith install rtx5080-voice`s own" >&2
        return 1
    end
end

# Set variable $argv[1] to $argv[2], or unset it, and save its old value.
function _es_set
    set -l name $argv[1]
    if set -qg $name
        set -qgx $name; or set -gx _ENVSMITH_LOCAL "$_ENVSMITH_LOCAL $name "
        set -gx _ENVSMITH_WAS_$name "$$name"
    end
    if set -q argv[2]
        set -gx $name $argv[2]
        set -gx _ENVSMITH_NOW_$name "$$name"
    else
        set -eg $name
        # A universal variable (set -U) would reappear: cover it with an empty one.
        set -q $name; and set -gx $name
    end
    set -gx _ENVSMITH_CHANGED "$_ENVSMITH_CHANGED$name "
end

# Remove foreign entries from list variable $argv[1], and put $argv[2] first.
function _es_clean
    set -l kept
    set -l out
    set -q argv[2]; and set kept $argv[2]
    for entry in $$argv[1]
        if set -q argv[2]; and test "$entry" = "$argv[2]"
            continue
        else if _es_is_foreign $argv[1] "$entry"; or contains -- "$entry" $kept
            if test -z "$entry"
                set entry '(empty)'
            else if string match -qr '[[:cntrl:]]' -- "$entry"
                set entry '(one with control characters)'
            end
            set -a out $entry
        else
            set -a kept $entry
        end
    end
    if set -q out[1]
        set -ga _es_said "$argv[1] "(string join -- ', ' $out | string collect)
        set -q kept[1]; or _es_set $argv[1]
    end
    if set -q kept[1]; and test "$(string join -- : $kept | string collect)" != "$$argv[1]"
        _es_set $argv[1] (string join -- : $kept | string collect)
    end
end

# Whether to remove entry $argv[2] from variable $argv[1], by envsmith's rules: the first match wins.
function _es_is_foreign
    string match -q -- '/*' "$argv[2]"; or return 0
    string match -q -- '*/site-packages/*' "$argv[2]/"; and return 0
    string match -q -- '*/dist-packages/*' "$argv[2]/"; and return 0
    string match -q -- '*/condabin/*' "$argv[2]/"; and return 1
    test -e "$argv[2]"/'../pyvenv.cfg'; and return 0
    test -e "$argv[2]"/'../conda-meta/history'; and return 0
    test -e "$argv[2]"/'conda-meta/history'; and return 0
    test -e "$argv[2]"/'../../conda-meta/history'; and return 0
    test $argv[1] != PATH; or return 1
    string match -q -- '*/cuda-12.*' "$argv[2]/"; and return 1
    string match -q -- '*/cuda-12/*' "$argv[2]/"; and return 1
    string match -qr -- '/cuda-[0-9]' "$argv[2]/"; and return 0
    test -e "$argv[2]"/'libcuda.so.1'; and return 1
    test -e "$argv[2]"/'libcudart.so.12'; and return 1
    test -e "$argv[2]"/'libcudart.so.10.0'; and return 0
    test -e "$argv[2]"/'libcudart.so.10.1'; and return 0
    test -e "$argv[2]"/'libcudart.so.10.2'; and return 0
    test -e "$argv[2]"/'libcudart.so.11.0'; and return 0
    test -e "$argv[2]"/'libcudart.so.13'; and return 0
    test -e "$argv[2]"/'libcudart.so.14'; and return 0
    return 1
end

function _es_show_prompt
    set -gx _ENVSMITH_PROMPT '(rtx5080-voice) '
    functions -c fish_prompt _envsmith_fish_prompt
    function _envsmith_status
        return $argv[1]
    end
    function fish_prompt
        set -l before $status
        printf '%s' "$_ENVSMITH_PROMPT"
        _envsmith_status $before
        _envsmith_fish_prompt
    end
end

function _es_define
    function deactivate -d 'Put back what activating an environment took'
        for name in (string match -ar '[A-Za-z_][A-Za-z0-9_]*' -- "$_ENVSMITH_CHANGED")
            set -l was _ENVSMITH_WAS_$name
            set -l now _ENVSMITH_NOW_$name
            set -l had (set -q $was; and echo yes)
            set -l value "$$was"
            set -l has (set -q $name; and echo +)
            set -qU $name; and test -z "$$name"; and set -e has[1]
            set -l did (set -q $now; and echo +)
            if test "$has$$name" != "$did$$now"
                # Changed since: keep a single value, and restore the entries of a list at their places.
                if not contains $name PATH LD_LIBRARY_PATH DYLD_LIBRARY_PATH
                    set -eg $was
                    set -eg $now
                    continue
                end
                set -l --path rest "$$was"
                set -l --path kept "$$now"
                set -l --path is "$$name"
                set -q $was; or set rest
                set -q $now; or set kept
                set -q $name; or set is
                set -l add
                if test $name = PATH
                    set add $kept[1]
                    set -e kept[1]
                end
                set -l out
                for entry in $is
                    if set -q add[1]; and test "$entry" = "$add"
                        set add
                        continue
                    end
                    if contains -- "$entry" $kept
                        while contains -- "$entry" $rest
                            set -l first $rest[1]
                            set -e rest[1]
                            test "$first" != "$entry"; or break
                            if not contains -- "$first" $kept; or contains -- "$first" $out
                                set -a out "$first"
                            end
                        end
                    end
                    set -a out "$entry"
                end
                for first in $rest
                    if not contains -- "$first" $kept; or contains -- "$first" $out
                        set -a out "$first"
                    end
                end
                set had $out[1]
                set value (string join -- : $out | string collect)
            end
            set -eg $now
            set -eg $was
            if set -q had[1]
                set -l flags -gx
                string match -q -- "* $name *" "$_ENVSMITH_LOCAL"; and set flags -gu
                set $flags $name "$value"
            else
                set -eg $name
            end
        end
        if functions -q _envsmith_fish_prompt
            functions -e fish_prompt _envsmith_status
            functions -c _envsmith_fish_prompt fish_prompt
            functions -e _envsmith_fish_prompt
        end
        set -eg _ENVSMITH_CHANGED
        set -eg _ENVSMITH_LOCAL
        set -eg _ENVSMITH_PROMPT
        test "$argv[1]" = again; or functions -e deactivate
        return 0
    end
end

set -g _es_said
set -g _es_me (status filename | string collect)
status stack-trace | read -gz _es_trace
_es_activate
set -g _es_status $status
functions -e _es_activate _es_find_prefix _es_set _es_clean _es_is_foreign _es_show_prompt _es_define
set -eg _es_said
set -eg _es_me
set -eg _es_trace
set -eg _es_prefix
set -eg _es_bin
begin
    set -l result $_es_status
    set -eg _es_status
    test $result = 0
end
