@rem Activates the environment of the profile cu128 in cmd. Written by `envsmith lock`.
@rem
@rem     call lockfiles\cu128\activate.bat
@rem     call lockfiles\cu128\activate.bat deactivate
@rem
@rem The second command restores the session. The environment is found by the location of this file, or given by
@rem ENVSMITH_PREFIX. Values that may contain quotation marks are copied by `for`, whose variables cmd does not parse
@rem again; marks in lists of folders have no meaning, and are removed first.
@if /i "%~1"=="deactivate" @goto :es_deactivate

@set "_es_prefix="
@rem An undefined variable would leave its `:"=` in the line, even in a line that is not executed.
@if not defined ENVSMITH_PREFIX @goto :es_own_place
@for %%I in ("%ENVSMITH_PREFIX:"=%") do @set "_es_prefix=%%~fI"
:es_own_place
@if not defined _es_prefix @if exist "%~dp0..\pyvenv.cfg" @for %%I in ("%~dp0..") do @set "_es_prefix=%%~fI"
@if not defined _es_prefix @for %%I in ("%~dp0..\..\.venv") do @set "_es_prefix=%%~fI"
@if not exist "%_es_prefix%\Scripts" @goto :es_nowhere
@if not "%_es_prefix:;=%"=="%_es_prefix%" @goto :es_semicolon
@if exist "%_es_prefix%\envsmith-profile" @if not exist "%_es_prefix%\envsmith-profile\cu128" @goto :es_of_another

@if defined _ENVSMITH_CHANGED @call :es_undo
@if defined _OLD_VIRTUAL_PATH @if exist "%VIRTUAL_ENV%\Scripts\deactivate.bat" @call "%VIRTUAL_ENV%\Scripts\deactivate.bat"
@set "_es_said="
@set "_es_bin=%_es_prefix%\Scripts"
@call :es_plain_path
@set "_es_path=%_es_list%"
@if defined PATH @set "_ENVSMITH_WAS_PATH=%_es_list%"
@call :es_keep PATH
@rem From here on no program is searched in the session's folders.
@set "PATH=%SystemRoot%\System32"
@call :es_keep VIRTUAL_ENV
@set "VIRTUAL_ENV=%_es_prefix%"
@set "_ENVSMITH_NOW_VIRTUAL_ENV=%_es_prefix%"
@call :es_keep VIRTUAL_ENV_PROMPT
@set "VIRTUAL_ENV_PROMPT=cu128"
@set "_ENVSMITH_NOW_VIRTUAL_ENV_PROMPT=cu128"
@call :es_keep ENVSMITH_PROFILE
@set ENVSMITH_PROFILE=cu128
@set _ENVSMITH_NOW_ENVSMITH_PROFILE=cu128
@rem `_es_none` is never defined: it fills an empty list.
@for %%V in (PYTHONPATH PYTHONHOME CONDA_PREFIX _es_none) do @if defined %%V @call :es_unset %%V
@if not exist "%_es_prefix%\envsmith-constraints.txt" @goto :es_values
@set "_es_t=%_es_prefix%\envsmith-constraints.txt"
@if not "%_es_t: =%"=="%_es_t%" @call :es_url
@if defined _es_t @for %%V in (PIP_CONSTRAINT UV_CONSTRAINT _es_none) do @if not "%%V"=="_es_none" @call :es_guard %%V
:es_values
@call :es_clean
@if not defined VIRTUAL_ENV_DISABLE_PROMPT @call :es_show_prompt
@if defined _es_said @if not defined ENVSMITH_QUIET @call :es_say
@call :es_sweep
@exit /b 0

:es_nowhere
@>&2 echo "envsmith: no environment at %_es_prefix%: run `envsmith install cu128`"
@set "_es_prefix="
@exit /b 1

:es_semicolon
@>&2 echo "envsmith: %_es_prefix%\Scripts cannot be on PATH: it contains a semicolon"
@set "_es_prefix="
@exit /b 1

:es_of_another
@for /f "delims=" %%F in ('dir /b "%_es_prefix%\envsmith-profile"') do @set "_es_e=%%F"
@>&2 echo "envsmith: the environment at %_es_prefix% was built for the profile %_es_e%, not cu128: run `envsmith install cu128`s own"
@set "_es_prefix="
@set "_es_e="
@exit /b 1

:es_deactivate
@if defined _ENVSMITH_CHANGED @call :es_undo
@call :es_sweep
@exit /b 0

:es_say
@>&2 echo "envsmith: removed until deactivation:%_es_said:~0,-1%"
@exit /b 0

:es_show_prompt
@if not defined PROMPT @(set "_ENVSMITH_NO_PROMPT=1" & set "PROMPT=$P$G")
@set "_ENVSMITH_PROMPT=(cu128) "
@set "PROMPT=(cu128) %PROMPT%"
@exit /b 0

:es_hide_prompt
@if defined PROMPT @call set "PROMPT=%%PROMPT:*%_ENVSMITH_PROMPT%=%%"
@if defined _ENVSMITH_NO_PROMPT @set "PROMPT="
@set "_ENVSMITH_PROMPT="
@set "_ENVSMITH_NO_PROMPT="
@exit /b 0

:es_unset
@call :es_keep %1
@set "%1="
@set "_es_said=%_es_said% %1;"
@exit /b 0

:es_guard
@call :es_keep %1
@set "%1=%_es_t%"
@set "_ENVSMITH_NOW_%1=%_es_t%"
@exit /b 0

@rem pip and uv split values at spaces, and take URLs. cmd cannot replace % and # in paths: no guard then.
:es_url
@set "_es_odd="
@for /f "tokens=2 delims=%%#" %%Q in ("x%_es_t%x") do @set "_es_odd=1"
@if defined _es_odd @(set "_es_t=" & exit /b 0)
@set "_es_list="
@for %%E in ("%_es_t: =" "%") do (set "_es_e=%%~E" & call :es_url_part)
@set "_es_t=%_es_list:\=/%"
@if "%_es_t:~0,2%"=="//" (set "_es_t=file:%_es_t%") else (set "_es_t=file:///%_es_t%")
@exit /b 0

:es_url_part
@if defined _es_list (set "_es_list=%_es_list%%%20%_es_e%") else (set "_es_list=%_es_e%")
@exit /b 0

@rem Save the value of a variable, and record its change.
:es_keep
@set "_ENVSMITH_CHANGED=%_ENVSMITH_CHANGED% %1"
@if defined %1 @call :es_copy %1 _ENVSMITH_WAS_%1
@exit /b 0

@rem Copy a defined variable with any content; a leading `=` is lost.
:es_copy
@for /f "tokens=1* delims==" %%N in ('set %1') do @if /i "%%N"=="%1" @set "%2=%%O"
@exit /b 0

@rem Put the present or saved PATH without its quotation marks into _es_list, which is never empty.
:es_plain_path
@set "_es_list=;"
@if not defined PATH @exit /b 0
@set "_es_list=%PATH:"=%"
@exit /b 0

:es_plain_was
@set "_es_list=;"
@if not defined _ENVSMITH_WAS_PATH @exit /b 0
@set "_es_list=%_ENVSMITH_WAS_PATH:"=%"
@exit /b 0

@rem Remove foreign entries from PATH, and put the environment's programs first.
:es_clean
@set "_es_out="
@set "_es_kept="
@for %%E in ("%_es_path:;=" "%") do (set "_es_e=%%~E" & call :es_entry)
@set "PATH=%_es_bin%%_es_kept%"
@set "_ENVSMITH_NOW_PATH=%_es_bin%%_es_kept%"
@if defined _es_out @set "_es_said= PATH%_es_out:~0,-1%;%_es_said%"
@exit /b 0

:es_entry
@if not defined _es_e @exit /b 0
@if /i "%_es_e%"=="%_es_bin%" @exit /b 0
@set "_es_why="
@set "_es_t=%_es_e:/=\%\"
@if not "%_es_t:~1,2%"==":\" @if not "%_es_t:~0,2%"=="\\" @set "_es_why=out"
@rem envsmith's rules: the first match wins.
@if not defined _es_why @if not "%_es_t:\site-packages\=%"=="%_es_t%" @set "_es_why=out"
@if not defined _es_why @if not "%_es_t:\dist-packages\=%"=="%_es_t%" @set "_es_why=out"
@if not defined _es_why @if not "%_es_t:\condabin\=%"=="%_es_t%" @set "_es_why=stays"
@if not defined _es_why @if exist "%_es_e%\..\pyvenv.cfg" @set "_es_why=out"
@if not defined _es_why @if exist "%_es_e%\..\conda-meta\history" @set "_es_why=out"
@if not defined _es_why @if exist "%_es_e%\conda-meta\history" @set "_es_why=out"
@if not defined _es_why @if exist "%_es_e%\..\..\conda-meta\history" @set "_es_why=out"
@if defined _es_why @goto :es_judged
@set "_es_all=%_es_kept%;"
@set "_es_known="
@if defined _es_kept @call :es_look_for
@if defined _es_known @set "_es_why=out"
:es_judged
@if "%_es_why%"=="out" @(set "_es_out=%_es_out% %_es_e%," & exit /b 0)
@set "_es_kept=%_es_kept%;%_es_e%"
@exit /b 0

@rem Set _es_known if entry _es_e is in the list _es_all, which begins and ends with a semicolon.
:es_look_for
@set "_es_known="
@rem cmd cannot search for an entry with = or ^ in it.
@set "_es_odd="
@for /f "tokens=2 delims=^=" %%Q in ("x%_es_e%x") do @set "_es_odd=1"
@if defined _es_odd @exit /b 0
@set "_es_all=+%_es_all%+"
@call set "_es_less=%%_es_all:;%_es_e%;=%%"
@if not "%_es_less%"=="%_es_all%" @set "_es_known=1"
@exit /b 0

:es_undo
@call :es_plain_path
@set "_es_path=%_es_list%"
@set "PATH=%SystemRoot%\System32"
@if defined _ENVSMITH_PROMPT @call :es_hide_prompt
@for %%V in (%_ENVSMITH_CHANGED:~5% PATH) do @call :es_back %%V
@set "_ENVSMITH_CHANGED="
@exit /b 0

@rem Restore a variable unless it has changed since; restore the entries of PATH at their places.
:es_back
@if /i "%1"=="PATH" @goto :es_path_back
@set "_es_same="
@if not defined %1 @if not defined _ENVSMITH_NOW_%1 @set "_es_same=1"
@if defined %1 @if defined _ENVSMITH_NOW_%1 @call :es_compare %1 _ENVSMITH_NOW_%1
@if not defined _es_same @goto :es_forget
@if defined _ENVSMITH_WAS_%1 (call :es_copy _ENVSMITH_WAS_%1 %1) else (set "%1=")
:es_forget
@set "_ENVSMITH_WAS_%1="
@set "_ENVSMITH_NOW_%1="
@exit /b 0

@rem Set _es_same if a variable still has the value of the activation, apart from quotation marks: without these, no line
@rem can end in the middle of a value.
:es_compare
@call set "_es_a=%%%1:"=%%"
@call set "_es_b=%%%2:"=%%"
@if "%_es_a%"=="%_es_b%" @set "_es_same=1"
@exit /b 0

:es_path_back
@if "%_es_path%"=="%_ENVSMITH_NOW_PATH%" @goto :es_path_same
@call :es_merge
@goto :es_forget
:es_path_same
@if defined _ENVSMITH_WAS_PATH (call :es_copy _ENVSMITH_WAS_PATH PATH) else (set "PATH=")
@goto :es_forget

:es_merge
@set "_es_bin="
@set "_es_now=%_ENVSMITH_NOW_PATH%"
@for %%E in ("%_es_now:;=" "%") do @if not defined _es_bin @set "_es_bin=%%~E"
@set "_es_now=;%_es_now%;"
@set "_es_c=;"
@set "_es_first=1"
@for %%E in ("%_es_path:;=" "%") do (set "_es_e=%%~E" & call :es_drop_ours)
@set "_es_pending="
@call :es_plain_was
@for %%E in ("%_es_list:;=" "%") do (set "_es_e=%%~E" & call :es_place)
@set "_es_c=%_es_c%%_es_pending%"
@if "%_es_c%"==";" @(set "PATH=" & exit /b 0)
@if "%_es_c:~-1%"==";" @set "_es_c=%_es_c:~0,-1%"
@set "PATH=%_es_c:~1%"
@exit /b 0

:es_drop_ours
@if not defined _es_e @exit /b 0
@if defined _es_first @if /i "%_es_e%"=="%_es_bin%" @(set "_es_first=" & exit /b 0)
@set "_es_c=%_es_c%%_es_e%;"
@exit /b 0

@rem A removed entry is restored before the next kept entry that is still there.
:es_place
@if not defined _es_e @exit /b 0
@set "_es_all=%_es_now%"
@set "_es_known="
@if /i not "%_es_e%"=="%_es_bin%" @call :es_look_for
@if not defined _es_known @(set "_es_pending=%_es_pending%%_es_e%;" & exit /b 0)
@set "_es_all=%_es_c%"
@call :es_look_for
@if not defined _es_known @exit /b 0
@if not defined _es_pending @exit /b 0
@set "_es_odd="
@for /f "tokens=2 delims=^" %%Q in ("x%_es_pending%x") do @set "_es_odd=1"
@if defined _es_odd @exit /b 0
@call set "_es_c=%%_es_c:;%_es_e%;=;%_es_pending%%_es_e%;%%"
@set "_es_pending="
@set "_es_known="
@exit /b 0

:es_sweep
@for %%V in (prefix bin said out kept list e t same pending now c first known all less odd why path a b) do @set "_es_%%V="
@exit /b 0
