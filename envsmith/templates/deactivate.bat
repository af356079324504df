@rem Undoes activate.bat of the same folder. Written by envsmith.
@call "%~dp0activate.bat" deactivate
