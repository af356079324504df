# Activates the environment of the profile cpu-minimal in Nushell. Written by `envsmith lock`.
#
#     use lockfiles/cpu-minimal/activate.nu *
#
# `deactivate` restores the session. The environment is found by the location of this file, or given by
# ENVSMITH_PREFIX. All values below are double-quoted data that is never evaluated.

const self = path self
const lists = [PATH LD_LIBRARY_PATH DYLD_LIBRARY_PATH]
const cleaned = [PATH LD_LIBRARY_PATH DYLD_LIBRARY_PATH]
# envsmith's rules for entries to remove: the first match wins.
const rules = [
    [verdict text digit file];
    [out "/site-packages/" false ""]
    [out "/dist-packages/" false ""]
    [stays "/condabin/" false ""]
    [out "" false "../pyvenv.cfg"]
    [out "" false "../conda-meta/history"]
    [out "" false "conda-meta/history"]
    [out "" false "../../conda-meta/history"]
]
const library_rules = [
    [verdict text digit file];
    [stays "" false ""]
]
const values = [
    [name value];
    [ENVSMITH_PROFILE "cpu-minimal"]
    [VIRTUAL_ENV_PROMPT "cpu-minimal"]
    [CUDA_VISIBLE_DEVICES ""]
]

def text-of [name: string] {
    if $name not-in $env { return null }
    let value = $env | get $name
    if $value == null { return null }
    if ($value | describe | str starts-with 'list') { $value | str join (char esep) } else { $value | into string }
}

# Convert a value for its variable: PATH is a list.
def listed [name: string, value: string] {
    if $name == PATH { $value | split row (char esep) } else { $value }
}

def --env change [name: string, value?: string] {
    let was = text-of $name
    if $was != null { load-env {($'_ENVSMITH_WAS_($name)'): $was} }
    if $value != null { load-env {($'_ENVSMITH_NOW_($name)'): $value} }
    # Programs do not see null; a hidden variable would reappear from the scope that set it.
    if $value != null { load-env {($name): (listed $name $value)} } else if $was != null { load-env {($name): null} }
    $env._ENVSMITH_CHANGED = $"($env._ENVSMITH_CHANGED? | default '')($name) "
}

def fits [entry: string, rule: record] {
    if $rule.file != "" {
        $'($entry)/($rule.file)' | path exists
    } else if $rule.text == "" {
        false
    } else if $rule.digit {
        $'($entry)/' =~ $'($rule.text)[0-9]'
    } else {
        $'($entry)/' | str contains $rule.text
    }
}

def leaves [entry: string, table: list<record>] {
    if not ($entry | path split | get -o 0 | default '' | str ends-with (char path_sep)) { return true }
    for rule in $table {
        if (fits $entry $rule) { return ($rule.verdict == 'out') }
    }
    false
}

# Remove foreign entries from a list, put $first first, and return the removed ones.
def --env clean [name: string, first?: string] {
    let was = text-of $name
    let table = if $name == PATH { $rules } else { $rules | append $library_rules }
    mut kept = if $first == null { [] } else { [$first] }
    mut out = []
    for entry in (if $was == null { [] } else { $was | split row (char esep) }) {
        if $first != null and $entry == $first { continue }
        if (leaves $entry $table) or ($entry in $kept) {
            $out = ($out | append $entry)
        } else {
            $kept = ($kept | append $entry)
        }
    }
    if ($kept | is-empty) {
        if ($out | is-not-empty) { change $name }
    } else if ($kept | str join (char esep)) != $was {
        change $name ($kept | str join (char esep))
    }
    $out | each {|entry| if $entry == '' { '(empty)' } else if $entry =~ '[[:cntrl:]]' { '(one with control characters)' } else { $entry } }
}

# Merge removed entries into the present ones at their places.
def merged [was: list<string>, now: list<string>, is: list<string>, first?: string] {
    let kept = if $first == null { $now } else { $now | skip 1 }
    mut ours: any = $first
    mut rest = $was
    mut out = []
    for entry in $is {
        if $ours != null and $entry == $ours {
            $ours = null
            continue
        }
        if $entry in $kept and $entry in $rest {
            let place = $rest | enumerate | where item == $entry | first | get index
            for one in ($rest | first $place) {
                if $one not-in $kept or $one in $out { $out = ($out | append $one) }
            }
            $rest = ($rest | skip ($place + 1))
        }
        $out = ($out | append $entry)
    }
    for one in $rest {
        if $one not-in $kept or $one in $out { $out = ($out | append $one) }
    }
    $out
}

def parts [value?: string] {
    if $value == null or $value == '' { [] } else { $value | split row (char esep) }
}

# Restore the session before the activation.
export def --env deactivate [] {
    let names = $env._ENVSMITH_CHANGED? | default '' | split row ' ' | where $it != ''
    mut gone = [_ENVSMITH_CHANGED]
    mut back = {}
    for name in $names {
        let was = text-of $'_ENVSMITH_WAS_($name)'
        let now = text-of $'_ENVSMITH_NOW_($name)'
        let is = text-of $name
        if $is == $now {
            if $was == null { $gone = ($gone | append $name) } else { $back = ($back | insert $name (listed $name $was)) }
        } else if $name in $lists {
            # Changed since: keep a single value, and restore the entries of a list at their places.
            let first = if $name == PATH { $now | split row (char esep) | first } else { null }
            let entries = merged (parts $was) (parts $now) (parts $is) $first
            if ($entries | is-empty) {
                $gone = ($gone | append $name)
            } else {
                $back = ($back | insert $name (listed $name ($entries | str join (char esep))))
            }
        }
        $gone = ($gone | append [$'_ENVSMITH_WAS_($name)' $'_ENVSMITH_NOW_($name)'])
    }
    if '_ENVSMITH_PROMPT' in $env {
        if ($env._ENVSMITH_PROMPT | describe | str starts-with 'closure') { $env.PROMPT_COMMAND = $env._ENVSMITH_PROMPT }
        $gone = ($gone | append _ENVSMITH_PROMPT)
    }
    # All at once: variables set by other functions of this file would reappear from their scopes.
    load-env $back
    hide-env --ignore-errors ...$gone
}

def url-of [path: string] {
    let text = $path | str replace --all (char path_sep) '/' | url encode | str replace --all '%3A' ':'
    if ($text | str starts-with '//') { $'file:($text)' } else { $'file:///($text | str trim --left --char "/")' }
}

def --env activate [] {
    # Executed instead of used as a module, it runs `main`.
    if ($env.PROCESS_PATH? | default '') != '' and ($env.PROCESS_PATH | path expand) == ($self | path expand) { return }
    let folder = $self | path dirname
    let found = if ($env.ENVSMITH_PREFIX? | default '') != '' {
        $env.ENVSMITH_PREFIX | path expand --no-symlink | path split | path join
    } else if ($folder | path dirname | path join pyvenv.cfg | path exists) {
        $folder | path dirname
    } else {
        $folder | path dirname | path dirname | path join .venv
    }
    # Prefer the project's own link: it stays valid after an install or rollback.
    let own = $found | str replace --regex '[\\/]\.envsmith[\\/][^\\/]+[\\/][^\\/]+$' $'(char path_sep).venv'
    let prefix = if ($own | path expand) == ($found | path expand) { $own } else { $found }
    let programs = if $nu.os-info.name == 'windows' { $prefix | path join Scripts } else { $prefix | path join bin }
    if ($programs | path type) not-in [dir symlink] {
        error make {msg: $'envsmith: no environment at ($prefix): run `envsmith install cpu-minimal`'}
    }
    if ($programs | str contains (char esep)) {
        error make {msg: $'envsmith: ($programs) cannot be on PATH: it contains a separator'}
    }
    let mark = $prefix | path join 'envsmith-profile'
    if ($mark | path exists) and not ($mark | path join 'cpu-minimal' | path exists) {
        let other = ls $mark | get name | path basename | str join ', '
        error make {msg: $'envsmith: the environment at ($prefix) was built for the profile ($other), not cpu-minimal: run `envsmith install cpu-minimal`s own'}
    }
    deactivate
    change VIRTUAL_ENV $prefix
    for row in $values { change $row.name $row.value }
    let guard = $prefix | path join 'envsmith-constraints.txt'
    if ($guard | path exists) {
        # pip and uv split values at white space, and take URLs.
        let value = if $guard =~ '\s' { url-of $guard } else { $guard }
        for name in [PIP_CONSTRAINT UV_CONSTRAINT] { change $name $value }
    }
    mut said = []
    for name in $cleaned {
        let out = if $name == PATH { clean $name $programs } else { clean $name }
        if ($out | is-not-empty) { $said = ($said | append $'($name) ($out | str join ", ")') }
    }
    for name in [PYTHONPATH PYTHONHOME CONDA_PREFIX] {
        if (text-of $name) != null {
            $said = ($said | append $name)
            change $name
        }
    }
    if 'PROMPT_COMMAND' in $env and ($env.VIRTUAL_ENV_DISABLE_PROMPT? | default '') == '' {
        let before = $env.PROMPT_COMMAND
        if ($before | describe | str starts-with 'closure') {
            $env._ENVSMITH_PROMPT = $before
            $env.PROMPT_COMMAND = {|| $'(char lparen)cpu-minimal(char rparen) (do $before)' }
        }
    }
    if ($said | is-not-empty) and ($env.ENVSMITH_QUIET? | default '') == '' {
        print --stderr $'envsmith: removed until `deactivate`: ($said | str join "; ")'
    }
}

export-env { activate }

def main [] {
    print --stderr $'envsmith: this file must be read by your shell, not executed:  use ($self) *'
    exit 1
}
