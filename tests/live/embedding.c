// A service written in C that runs the Python program that is its first argument.
#include <Python.h>
#include <stdio.h>

int main(int argc, char** argv) {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.parse_argv = 0;
  if (argc < 2 || PyStatus_Exception(PyConfig_SetBytesArgv(&config, argc - 1, argv + 1)) ||
      PyStatus_Exception(Py_InitializeFromConfig(&config))) {
    return 2;
  }
  FILE* file = fopen(argv[1], "r");
  return file == NULL ? 2 : PyRun_SimpleFileEx(file, argv[1], 1);
}
