# What `cmake --install` and the packages hold. Components:
#   program         the program with its schemas and completions
#   plain           manual page, licence and the rest, where no package manager has its own rules
#   debian          the same as Debian wants it
#   library         rooms as static libraries, headers, the CMake package
#   debian_library  what a Debian package of the library needs beside that
include(CMakePackageConfigHelpers)

set(pages ${PROJECT_BINARY_DIR}/share)
file(MAKE_DIRECTORY ${pages})
set(outputs "")

# xfq_page(<file> <arguments>...): what the program prints about itself.
function(xfq_page file)
  add_custom_command(
    OUTPUT ${pages}/${file}
    COMMAND xfq ${ARGN} > ${pages}/${file}
    DEPENDS xfq
    COMMENT "Writing ${file}"
    VERBATIM)
  list(APPEND outputs ${pages}/${file})
  set(outputs ${outputs} PARENT_SCOPE)
endfunction()

foreach(shell bash zsh fish)
  xfq_page(completion.${shell} completion ${shell})
endforeach()
xfq_page(xfq.1 man)

# Debian's own files, compressed without a time in them.
find_program(XFQ_GZIP gzip)
mark_as_advanced(XFQ_GZIP)
if(XFQ_GZIP)
  set(package ${CMAKE_CURRENT_LIST_DIR})
  foreach(source ${pages}/xfq.1 ${package}/changelog)
    get_filename_component(name ${source} NAME)
    add_custom_command(
      OUTPUT ${pages}/${name}.gz
      COMMAND ${XFQ_GZIP} -9nc ${source} > ${pages}/${name}.gz
      DEPENDS ${source}
      VERBATIM)
    list(APPEND outputs ${pages}/${name}.gz)
  endforeach()
endif()
add_custom_target(pages ALL DEPENDS ${outputs})

install(TARGETS xfq RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
install(DIRECTORY data/schema DESTINATION ${CMAKE_INSTALL_DATADIR}/xfq COMPONENT program)
install(FILES ${pages}/completion.bash RENAME xfq
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
install(FILES ${pages}/completion.fish RENAME xfq.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)

install(FILES ${pages}/completion.zsh RENAME _xfq
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT plain)
install(FILES ${pages}/xfq.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT plain)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT plain)

if(XFQ_GZIP)
  install(FILES ${pages}/completion.zsh RENAME _xfq
    DESTINATION share/zsh/vendor-completions COMPONENT debian EXCLUDE_FROM_ALL)
  install(FILES ${pages}/xfq.1.gz DESTINATION share/man/man1 COMPONENT debian EXCLUDE_FROM_ALL)
  install(FILES README.md ${package}/copyright ${pages}/changelog.gz
    DESTINATION share/doc/xfq COMPONENT debian EXCLUDE_FROM_ALL)
  install(FILES ${package}/copyright ${pages}/changelog.gz
    DESTINATION share/doc/libxfq-dev COMPONENT debian_library EXCLUDE_FROM_ALL)
endif()

# Every room, also those that the program does not need.
add_custom_target(libraries)
set(rooms core stats kernels nn models corpus train quant importance experiments report cli)
foreach(room IN LISTS rooms)
  if(TARGET xfq_${room})
    set_target_properties(xfq_${room} PROPERTIES EXPORT_NAME ${room})
    add_dependencies(libraries xfq_${room})
    install(TARGETS xfq_${room} EXPORT xfq-targets
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
  endif()
endforeach()
install(DIRECTORY include/xfq DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
set(cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/xfq)
install(EXPORT xfq-targets NAMESPACE xfq:: DESTINATION ${cmake_folder} COMPONENT library)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/xfq-config.cmake.in
  ${PROJECT_BINARY_DIR}/xfq-config.cmake
  INSTALL_DESTINATION ${cmake_folder} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/xfq-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/xfq-config.cmake ${PROJECT_BINARY_DIR}/xfq-config-version.cmake
  DESTINATION ${cmake_folder} COMPONENT library)

# Packages: scripts/package, or cpack in the build folder.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/changelog newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^xfq \\(${PROJECT_VERSION}\\) ")
  message(FATAL_ERROR "scripts/package/changelog begins with '${newest}', expected version ${PROJECT_VERSION}")
endif()
set(CPACK_GENERATOR "TGZ;DEB")
set(CPACK_PACKAGE_NAME xfq)
set(CPACK_PACKAGE_VENDOR "The xfq authors")
set(CPACK_PACKAGE_CONTACT "The xfq authors <xfq@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Transformer interview answers turned into measurements")
set(CPACK_PACKAGE_FILE_NAME xfq-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/generators.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME xfq)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS gnuplot-nox)
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "Trains small Transformers, written from scratch on Eigen, and measures what
well-known interview answers claim about next-sentence prediction, batch size,
quantization, approximation and the importance of neurons. Results are JSON,
with an interval for every number and a verdict for every claim.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libxfq-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libeigen3-dev, libfmt-dev, libpugixml-dev, libsentencepiece-dev, libssl-dev, libxxhash-dev, pkg-config")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "The parts that xfq is made of, for programs of one's own: layers with
hand-written backward passes, models, corpora, training, quantization, and
statistics. Holds headers, static libraries and a CMake package.")
include(CPack)
cpack_add_component_group(program)
cpack_add_component_group(development)
cpack_add_component(program GROUP program)
cpack_add_component(plain GROUP program)
cpack_add_component(debian GROUP program)
cpack_add_component(library GROUP development)
cpack_add_component(debian_library GROUP development)
