# hvagentd --print-settings as a manual page: cmake -DINPUT=... -DOUTPUT=... -P settings_page.cmake
file(READ ${INPUT} settings)
string(REPLACE "\\" "\\e" settings "${settings}")
string(REPLACE "-" "\\-" settings "${settings}")
file(WRITE ${OUTPUT} ".TH HVAGENTD.TOML 5 \"\" hvagent \"System administration\"
.SH NAME
hvagentd.toml \\- configuration of hvagentd
.SH DESCRIPTION
TOML. After \\fI/etc/hvagent/hvagentd.toml\\fR the files \\fI/etc/hvagent/hvagentd.d/*.toml\\fR are read by name; the last word holds.
An unknown key or a wrong value is an error with file and line; \\fBhvagentd \\-\\-check\\-config\\fR tells before a restart.
Files with passwords or tokens belong to root and group hvagent with mode 0640.
.PP
SIGHUP (\\fBsystemctl reload hvagentd\\fR) takes over \\fB[log] level\\fR and what is in the files of \\fB[http] tls_cert\\fR,
\\fBtls_key\\fR and \\fBclient_ca\\fR; other changes are named in the log and take effect at the next start.
.SH SETTINGS
Every key with its meaning and default:
.PP
.nf
${settings}.fi
.SH SEE ALSO
.BR hvagentd (8)
")
