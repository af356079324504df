# Activates the environment of the profile @NAME@ in PowerShell. Written by `envsmith lock`.
#
#     . lockfiles/@NAME@/activate.ps1
#
# `deactivate` restores the session. The environment is found by the location of this file, or given by
# ENVSMITH_PREFIX. All values below are single-quoted data that is never expanded.

& {
    param([string]$Folder)
    # envsmith's rules for entries to remove: the first match wins.
    $rules = @(
@RULES@
    )
    $libraryRules = @(
@LIBRARY_RULES@
    )
    $separator = [string][IO.Path]::PathSeparator
    $isWindows = $separator -eq ';'

    function Get-Value([string]$Name) { [Environment]::GetEnvironmentVariable($Name, 'Process') }
    function Edit-Value([string]$Name, $Value) {
        $was = Get-Value $Name
        if ($null -ne $was) { Set-Item -LiteralPath "Env:_ENVSMITH_WAS_$Name" -Value $was }
        if ([string]::IsNullOrEmpty($Value)) {
            Remove-Item -LiteralPath "Env:$Name" -ErrorAction SilentlyContinue
        } else {
            Set-Item -LiteralPath "Env:_ENVSMITH_NOW_$Name" -Value $Value
            Set-Item -LiteralPath "Env:$Name" -Value $Value
        }
        Set-Item -LiteralPath Env:_ENVSMITH_CHANGED -Value "$(Get-Value '_ENVSMITH_CHANGED')$Name "
    }
    function Test-Foreign([string]$Entry, $Table) {
        if (-not $(if ($isWindows) { $Entry -match '^([A-Za-z]:[/\\]|\\\\)' } else { $Entry.StartsWith('/') })) { return $true }
        $text = "$Entry/"
        if ($isWindows) { $text = $text.Replace('\', '/').ToLowerInvariant() }
        foreach ($rule in $Table) {
            if ($rule[3]) { $fits = Test-Path -LiteralPath "$Entry/$($rule[3])" }
            elseif ($rule[2]) { $fits = $text -cmatch "$([regex]::Escape($rule[1]))[0-9]" }
            else { $fits = $text.Contains($rule[1]) }
            if ($fits) { return $rule[0] -eq 'out' }
        }
        return $false
    }

    if ($env:ENVSMITH_PREFIX) { $prefix = [IO.Path]::GetFullPath([IO.Path]::Combine($PWD.ProviderPath, $env:ENVSMITH_PREFIX)) }
    elseif (Test-Path -LiteralPath ([IO.Path]::Combine($Folder, '..', 'pyvenv.cfg'))) { $prefix = [IO.Path]::GetDirectoryName($Folder) }
    else { $prefix = [IO.Path]::Combine([IO.Path]::GetDirectoryName([IO.Path]::GetDirectoryName($Folder)), '.venv') }
    $programs = [IO.Path]::Combine($prefix, $(if ($isWindows) { 'Scripts' } else { 'bin' }))
    if (-not (Test-Path -LiteralPath $programs -PathType Container)) {
        throw "envsmith: no environment at ${prefix}: run envsmith install @NAME@"
    }
    $mark = [IO.Path]::Combine($prefix, '@MARK@')
    if ((Test-Path -LiteralPath $mark) -and -not (Test-Path -LiteralPath ([IO.Path]::Combine($mark, '@NAME@')))) {
        $other = Get-ChildItem -LiteralPath $mark -Name
        throw "envsmith: the environment at ${prefix} was built for the profile ${other}, not @NAME@: run envsmith install @NAME@"
    }
    if (-not $env:_ENVSMITH_CHANGED -and $env:VIRTUAL_ENV -and (Test-Path -LiteralPath Function:deactivate)) {
        deactivate  # of another tool's environment: let that tool restore the session
    }

    function global:deactivate {
        function Get-Value([string]$Name) { [Environment]::GetEnvironmentVariable($Name, 'Process') }
        function Set-Value([string]$Name, $Value) {
            if ($null -eq $Value) { Remove-Item -LiteralPath "Env:$Name" -ErrorAction SilentlyContinue }
            else { Set-Item -LiteralPath "Env:$Name" -Value $Value }
        }
        function Get-Part($Text) { if ([string]::IsNullOrEmpty($Text)) { , @() } else { , @($Text -split [regex]::Escape($separator)) } }
        $separator = [string][IO.Path]::PathSeparator
        foreach ($name in @("$(Get-Value '_ENVSMITH_CHANGED')" -split ' ' -match '^[A-Za-z_][A-Za-z0-9_]*$')) {
            $was = Get-Value "_ENVSMITH_WAS_$name"
            $now = Get-Value "_ENVSMITH_NOW_$name"
            $is = Get-Value $name
            if ($is -ceq $now) {
                Set-Value $name $was
            } elseif (@('PATH @EVERY_LIBRARY@' -split ' ') -contains $name) {
                # Changed since: keep a single value, and restore the entries of a list at their places.
                $kept = Get-Part $now
                $rest = [Collections.Generic.List[string]](Get-Part $was)
                $out = [Collections.Generic.List[string]]@()
                $first = $null
                if ($name -eq 'PATH') {
                    $first = $kept[0]
                    $kept = @($kept | Select-Object -Skip 1)
                }
                foreach ($entry in (Get-Part $is)) {
                    if ($null -ne $first -and $entry -ceq $first) {
                        $first = $null
                        continue
                    }
                    if ($kept -ccontains $entry -and $rest.Contains($entry)) {
                        while ($rest[0] -cne $entry) {
                            if ($kept -cnotcontains $rest[0] -or $out.Contains($rest[0])) { $out.Add($rest[0]) }
                            $rest.RemoveAt(0)
                        }
                        $rest.RemoveAt(0)
                    }
                    $out.Add($entry)
                }
                foreach ($entry in $rest) {
                    if ($kept -cnotcontains $entry -or $out.Contains($entry)) { $out.Add($entry) }
                }
                Set-Value $name $(if ($out.Count) { $out -join $separator } else { $null })
            }
            Set-Value "_ENVSMITH_WAS_$name" $null
            Set-Value "_ENVSMITH_NOW_$name" $null
        }
        Set-Value '_ENVSMITH_CHANGED' $null
        if (Test-Path -LiteralPath Function:_envsmith_prompt) {
            Copy-Item -LiteralPath Function:_envsmith_prompt -Destination Function:global:prompt
            Remove-Item -LiteralPath Function:_envsmith_prompt
        }
        if ($args -notcontains 'again') { Remove-Item -LiteralPath Function:deactivate }
    }

    deactivate again
    Edit-Value VIRTUAL_ENV $prefix
    Edit-Value VIRTUAL_ENV_PROMPT '@NAME@'
    Edit-Value ENVSMITH_PROFILE @PROFILE@
    $said = @()
    foreach ($name in @('PATH @LIBRARIES@' -split ' ' -ne '')) {
        $was = Get-Value $name
        if ($null -eq $was -and $name -ne 'PATH') { continue }
        $kept = [Collections.Generic.List[string]]@()
        $out = @()
        if ($name -eq 'PATH') { $kept.Add($programs) }
        foreach ($entry in "$was" -split [regex]::Escape($separator)) {
            if ($name -eq 'PATH' -and $entry -eq $programs) { continue }
            $known = if ($isWindows) { $kept -contains $entry } else { $kept -ccontains $entry }
            if ($known -or (Test-Foreign $entry $(if ($name -eq 'PATH') { $rules } else { $rules + $libraryRules }))) {
                $out += $(if ($entry) { $entry } else { '(empty)' })
            } else { $kept.Add($entry) }
        }
        if ($out) { $said += "$name $($out -join ', ')" }
        if (($kept -join $separator) -cne $was) { Edit-Value $name ($kept -join $separator) }
    }
    foreach ($name in @('@UNSET@' -split ' ' -ne '')) {
        if ($null -ne (Get-Value $name)) {
            $said += $name
            Edit-Value $name $null
        }
    }
    $guard = [IO.Path]::Combine($prefix, '@CONSTRAINTS@')
    if (Test-Path -LiteralPath $guard) {
        if ($guard -match '\s') {
            # pip and uv split values at white space, and take URLs.
            $guard = [Uri]::EscapeDataString($guard.Replace([string][IO.Path]::DirectorySeparatorChar, '/'))
            $guard = $guard.Replace('%2F', '/').Replace('%3A', ':')
            $guard = if ($guard.StartsWith('//')) { "file:$guard" } else { "file:///$($guard.TrimStart('/'))" }
        }
        foreach ($name in @('@GUARDS@' -split ' ' -ne '')) { Edit-Value $name $guard }
    }
@VALUES@
    if (-not $env:VIRTUAL_ENV_DISABLE_PROMPT) {
        Copy-Item -LiteralPath Function:prompt -Destination Function:global:_envsmith_prompt
        function global:prompt { "(@NAME@) $(_envsmith_prompt)" }
    }
    if ($said -and -not $env:ENVSMITH_QUIET) {
        [Console]::Error.WriteLine("envsmith: removed until deactivate: $($said -join '; ')")
    }
} $PSScriptRoot
