@rem Activates the environment of the profile macos in cmd. Written by `envsmith lock`.
@rem
@rem     call lockfiles\macos\activate.bat
@rem     call lockfiles\macos\activate.bat deactivate
@rem
@rem The second puts back what the first takes. The environment is found from this file's own place, or named by
@rem ENVSMITH_PREFIX. What may hold quotation marks is copied by `for`, whose variables no line of cmd reads again; from
@rem lists of folders, in which a mark means nothing, the marks are taken before they are looked at.
@if /i "%~1"=="deactivate" @goto :es_deactivate

@set "es_prefix="
@rem A variable that is not defined would leave its `:"=` in the line, even in one that is not carried out.
@if not defined ENVSMITH_PREFIX @goto :es_own_place
@for %%I in ("%ENVSMITH_PREFIX:"=%") do @set "es_prefix=%%~fI"
:es_own_place
@if not defined es_prefix @if exist "%~dp0..\pyvenv.cfg" @for %%I in ("%~dp0..") do @set "es_prefix=%%~fI"
@if not defined es_prefix @for %%I in ("%~dp0..\..\.venv") do @set "es_prefix=%%~fI"
@if not exist "%es_prefix%\Scripts" @goto :es_nowhere
@if not "%es_prefix:;=%"=="%es_prefix%" @goto :es_semicolon

@if defined _ENVSMITH_CHANGED @call :es_undo
@if defined _OLD_VIRTUAL_PATH @if exist "%VIRTUAL_ENV%\Scripts\deactivate.bat" @call "%VIRTUAL_ENV%\Scripts\deactivate.bat"
@set "es_said="
@set "es_bin=%es_prefix%\Scripts"
@call :es_plain_path
@set "es_path=%es_list%"
@if defined PATH @set "_ENVSMITH_WAS_PATH=%es_list%"
@call :es_keep PATH
@rem From here to the end nothing is looked for in whatever folders were there.
@set "PATH=%SystemRoot%\System32"
@call :es_keep VIRTUAL_ENV
@set "VIRTUAL_ENV=%es_prefix%"
@set "_ENVSMITH_NOW_VIRTUAL_ENV=%es_prefix%"
@call :es_keep VIRTUAL_ENV_PROMPT
@set "VIRTUAL_ENV_PROMPT=macos"
@set "_ENVSMITH_NOW_VIRTUAL_ENV_PROMPT=macos"
@call :es_keep ENVSMITH_PROFILE
@set ENVSMITH_PROFILE=macos
@set _ENVSMITH_NOW_ENVSMITH_PROFILE=macos
@for %%V in (PYTHONPATH PYTHONHOME CONDA_PREFIX) do @if defined %%V @call :es_unset %%V
@if not exist "%es_prefix%\envsmith-constraints.txt" @goto :es_values
@if not "%es_prefix: =%"=="%es_prefix%" @goto :es_values
@call :es_keep PIP_CONSTRAINT
@set "PIP_CONSTRAINT=%es_prefix%\envsmith-constraints.txt"
@set "_ENVSMITH_NOW_PIP_CONSTRAINT=%es_prefix%\envsmith-constraints.txt"
@call :es_keep UV_CONSTRAINT
@set "UV_CONSTRAINT=%es_prefix%\envsmith-constraints.txt"
@set "_ENVSMITH_NOW_UV_CONSTRAINT=%es_prefix%\envsmith-constraints.txt"
:es_values
@call :es_clean
@if not defined VIRTUAL_ENV_DISABLE_PROMPT @call :es_show_prompt
@if defined es_said @if not defined ENVSMITH_QUIET @call :es_say
@call :es_sweep
@exit /b 0

:es_nowhere
@>&2 echo "envsmith: there is no environment at %es_prefix%: `envsmith install macos` makes it"
@set "es_prefix="
@exit /b 1

:es_semicolon
@>&2 echo "envsmith: %es_prefix%\Scripts cannot be on PATH: it has a semicolon in it"
@set "es_prefix="
@exit /b 1

:es_deactivate
@if defined _ENVSMITH_CHANGED @call :es_undo
@call :es_sweep
@exit /b 0

:es_say
@>&2 echo "envsmith: taken out until deactivation:%es_said:~0,-1%"
@exit /b 0

:es_show_prompt
@if not defined PROMPT @(set "_ENVSMITH_NO_PROMPT=1" & set "PROMPT=$P$G")
@set "_ENVSMITH_PROMPT=(macos) "
@set "PROMPT=(macos) %PROMPT%"
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
@set "es_said=%es_said% %1;"
@exit /b 0

@rem Keeps what a variable is, and notes that it changes.
:es_keep
@set "_ENVSMITH_CHANGED=%_ENVSMITH_CHANGED% %1"
@if defined %1 @call :es_copy %1 _ENVSMITH_WAS_%1
@exit /b 0

@rem Copies one variable that is defined to another, whatever is in it; a `=` that its value begins with is lost.
:es_copy
@for /f "tokens=1* delims==" %%N in ('set %1') do @if /i "%%N"=="%1" @set "%2=%%O"
@exit /b 0

@rem Puts PATH, as it is or was, without its quotation marks into es_list, which is never empty.
:es_plain_path
@set "es_list=;"
@if not defined PATH @exit /b 0
@set "es_list=%PATH:"=%"
@exit /b 0

:es_plain_was
@set "es_list=;"
@if not defined _ENVSMITH_WAS_PATH @exit /b 0
@set "es_list=%_ENVSMITH_WAS_PATH:"=%"
@exit /b 0

@rem Takes out of PATH what does not belong there, and puts the environment's programs first.
:es_clean
@set "es_out="
@set "es_kept="
@for %%E in ("%es_path:;=" "%") do (set "es_e=%%~E" & call :es_entry)
@set "PATH=%es_bin%%es_kept%"
@set "_ENVSMITH_NOW_PATH=%es_bin%%es_kept%"
@if defined es_out @set "es_said= PATH%es_out:~0,-1%;%es_said%"
@exit /b 0

:es_entry
@if not defined es_e @exit /b 0
@if /i "%es_e%"=="%es_bin%" @exit /b 0
@set "es_why="
@set "es_t=%es_e:/=\%\"
@if not "%es_t:~1,2%"==":\" @if not "%es_t:~0,2%"=="\\" @set "es_why=out"
@rem The rules are those of envsmith's table; the first that fits holds.
@if not defined es_why @if not "%es_t:\site-packages\=%"=="%es_t%" @set "es_why=out"
@if not defined es_why @if not "%es_t:\dist-packages\=%"=="%es_t%" @set "es_why=out"
@if not defined es_why @if not "%es_t:\condabin\=%"=="%es_t%" @set "es_why=stays"
@if not defined es_why @if exist "%es_e%\..\pyvenv.cfg" @set "es_why=out"
@if not defined es_why @if exist "%es_e%\..\conda-meta\history" @set "es_why=out"
@if not defined es_why @if exist "%es_e%\conda-meta\history" @set "es_why=out"
@if not defined es_why @if exist "%es_e%\..\..\conda-meta\history" @set "es_why=out"
@if defined es_why @goto :es_judged
@set "es_all=%es_kept%;"
@set "es_known="
@if defined es_kept @call :es_look_for
@if defined es_known @set "es_why=out"
:es_judged
@if "%es_why%"=="out" @(set "es_out=%es_out% %es_e%," & exit /b 0)
@set "es_kept=%es_kept%;%es_e%"
@exit /b 0

@rem Says in es_known whether entry es_e is in the list es_all, which begins and ends with a semicolon.
:es_look_for
@set "es_known="
@rem One with = or ^ in it cannot be looked for.
@set "es_odd="
@for /f "tokens=2 delims=^=" %%Q in ("x%es_e%x") do @set "es_odd=1"
@if defined es_odd @exit /b 0
@set "es_all=+%es_all%+"
@call set "es_less=%%es_all:;%es_e%;=%%"
@if not "%es_less%"=="%es_all%" @set "es_known=1"
@exit /b 0

:es_undo
@call :es_plain_path
@set "es_path=%es_list%"
@set "PATH=%SystemRoot%\System32"
@if defined _ENVSMITH_PROMPT @call :es_hide_prompt
@for %%V in (%_ENVSMITH_CHANGED:~5% PATH) do @call :es_back %%V
@set "_ENVSMITH_CHANGED="
@exit /b 0

@rem Puts one variable back, unless the user has changed it meanwhile; entries of PATH go back to their places.
:es_back
@if /i "%1"=="PATH" @goto :es_path_back
@set "es_same="
@if not defined %1 @if not defined _ENVSMITH_NOW_%1 @set "es_same=1"
@if defined %1 @if defined _ENVSMITH_NOW_%1 @call :es_compare %1 _ENVSMITH_NOW_%1
@if not defined es_same @goto :es_forget
@if defined _ENVSMITH_WAS_%1 (call :es_copy _ENVSMITH_WAS_%1 %1) else (set "%1=")
:es_forget
@set "_ENVSMITH_WAS_%1="
@set "_ENVSMITH_NOW_%1="
@exit /b 0

@rem Says in es_same whether a variable is what activating made it, but for quotation marks: without these, no line can end
@rem in the middle of a value.
:es_compare
@call set "es_a=%%%1:"=%%"
@call set "es_b=%%%2:"=%%"
@if "%es_a%"=="%es_b%" @set "es_same=1"
@exit /b 0

:es_path_back
@if "%es_path%"=="%_ENVSMITH_NOW_PATH%" @goto :es_path_same
@call :es_merge
@goto :es_forget
:es_path_same
@if defined _ENVSMITH_WAS_PATH (call :es_copy _ENVSMITH_WAS_PATH PATH) else (set "PATH=")
@goto :es_forget

:es_merge
@set "es_bin="
@set "es_now=%_ENVSMITH_NOW_PATH%"
@for %%E in ("%es_now:;=" "%") do @if not defined es_bin @set "es_bin=%%~E"
@set "es_now=;%es_now%;"
@set "es_c=;"
@set "es_first=1"
@for %%E in ("%es_path:;=" "%") do (set "es_e=%%~E" & call :es_drop_ours)
@set "es_pending="
@call :es_plain_was
@for %%E in ("%es_list:;=" "%") do (set "es_e=%%~E" & call :es_place)
@set "es_c=%es_c%%es_pending%"
@if "%es_c:~-1%"==";" @set "es_c=%es_c:~0,-1%"
@set "PATH=%es_c:~1%"
@exit /b 0

:es_drop_ours
@if not defined es_e @exit /b 0
@if defined es_first @if /i "%es_e%"=="%es_bin%" @(set "es_first=" & exit /b 0)
@set "es_c=%es_c%%es_e%;"
@exit /b 0

@rem An entry that was taken waits for the next one that stayed and is still there, and goes before it.
:es_place
@if not defined es_e @exit /b 0
@set "es_all=%es_now%"
@if /i not "%es_e%"=="%es_bin%" @call :es_look_for
@if not defined es_known @(set "es_pending=%es_pending%%es_e%;" & exit /b 0)
@set "es_all=%es_c%"
@call :es_look_for
@if not defined es_known @exit /b 0
@if not defined es_pending @exit /b 0
@set "es_odd="
@for /f "tokens=2 delims=^" %%Q in ("x%es_pending%x") do @set "es_odd=1"
@if defined es_odd @exit /b 0
@call set "es_c=%%es_c:;%es_e%;=;%es_pending%%es_e%;%%"
@set "es_pending="
@set "es_known="
@exit /b 0

:es_sweep
@for %%V in (prefix bin said out kept list e t same pending now c first known all less odd why path a b) do @set "es_%%V="
@exit /b 0
