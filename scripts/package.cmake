# What `cmake --install` installs, and the .deb that `cpack` makes of it in a build directory.
include(GNUInstallDirs)

install(TARGETS asyncspy RUNTIME)
install(PROGRAMS scripts/kubernetes/kubectl-asyncspy DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES src/cli/asyncspy.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES src/cli/completions/asyncspy.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME asyncspy)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(DIRECTORY scripts/kubernetes DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples PATTERN kubectl-asyncspy EXCLUDE)
install(FILES scripts/container/Containerfile DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples/container)
# Debian's zsh looks for what packages bring in a directory of its own, everybody else's in site-functions.
install(CODE [[
  set(ASYNCSPY_ZSH_FOLDER site-functions)
  if(CMAKE_INSTALL_PREFIX MATCHES "/usr/?$")
    set(ASYNCSPY_ZSH_FOLDER vendor-completions)
  endif()]])
install(FILES src/cli/completions/_asyncspy DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/\${ASYNCSPY_ZSH_FOLDER}")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME asyncspy)
set(CPACK_PACKAGE_VENDOR "asyncspy maintainers")
set(CPACK_PACKAGE_CONTACT "asyncspy maintainers <maintainers@asyncspy.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "says from outside why a Python asyncio service hangs")
set(CPACK_PACKAGE_DESCRIPTION "asyncspy reads a running process (CPython 3.7 to 3.15) without changing anything in it, and says which
coroutine blocks its event loop and in which call, which tasks are pending, and what each of them waits for.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
if(NOT ASYNCSPY_LINKS_STATICALLY)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)  # a static program depends on nothing
endif()
include(CPack)
