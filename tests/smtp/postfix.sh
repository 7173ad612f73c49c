#!/usr/bin/env bash
# A Postfix for as long as standard input is open: tests/smtp/postfix.sh PORT NEXT
#
# It listens on 127.0.0.1:PORT and hands every mail on to 127.0.0.1:NEXT. Its state is in a folder that is removed when it
# ends. No service is started and no account is made.
#
# POSTFIX is the folder that Debian's package was unpacked into; without it, the installed one is run. Root runs it with
# accounts that every Debian has; everybody else needs fakeroot.
#
# Postfix obeys the routing in a local part if the domain is its own, and hands it on if it is not. Hence a domain of each
# class: mydestination, relay_domains and virtual_mailbox_domains below, and any other domain.
set -euo pipefail
port=$1 next=smtp:[127.0.0.1]:$2
programs=${POSTFIX:-}/usr/lib/postfix
if [ ! -x "$programs/sbin/master" ]; then
    echo "needs the package postfix" >&2
    exit 1
fi

dir=$(mktemp -d)
end() {
    # Postfix's own number: under fakeroot it is not the job's.
    if kill -0 "$job" 2>/dev/null && kill "$(cat "$dir/queue/pid/master.pid")"; then wait "$job" || true; fi
    rm -r "$dir"
}
job=
trap end EXIT

mkdir -p "$dir"/{etc,data,queue/{active,bounce,corrupt,defer,deferred,hold,incoming,maildrop,pid,private,public,trace}}
run=(fakeroot --)
if [ "$(id -u)" = 0 ]; then
    run=()
    chmod 755 "$dir"
    chown daemon "$dir"/{data,queue/*}
    chown root "$dir/queue/pid"
fi
cat >"$dir/etc/main.cf" <<MAIN
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
command_directory = ${POSTFIX:-}/usr/sbin
daemon_directory = $programs/sbin
shlib_directory = $programs
meta_directory = $dir/etc
maillog_file = $dir/log
maillog_file_prefixes = $dir
mail_owner = daemon
setgid_group = mail
default_privs = nobody
import_environment = MAIL_CONFIG LD_LIBRARY_PATH LD_PRELOAD FAKEROOTKEY
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.relay.example
default_database_type = texthash
disable_dns_lookups = yes
smtp_host_lookup = native
smtp_connection_cache_on_demand = no
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
fast_flush_domains =
alias_maps =
local_recipient_maps =
mydestination = corp.example
relay_domains = relayed.example
virtual_mailbox_domains = virtual.example
smtpd_sender_restrictions = check_sender_access inline:{{unknown@acme.example=450 4.1.8 Domain not found}}
local_transport = $next
relay_transport = $next
virtual_transport = $next
default_transport = $next
MAIN
cat >"$dir/etc/master.cf" <<MASTER
127.0.0.1:$port inet n - n - - smtpd
bounce unix - - n - 0 bounce
cleanup unix n - n - 0 cleanup
defer unix - - n - 0 bounce
error unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
qmgr unix n - n 300 1 qmgr
retry unix - - n - - error
rewrite unix - - n - - trivial-rewrite
smtp unix - - n - - smtp
trace unix - - n - 0 bounce
MASTER

# In a session of its own: it ends its whole process group when it ends.
LD_LIBRARY_PATH=$programs setsid "${run[@]}" "$programs/sbin/master" -c "$dir/etc" -d >"$dir/out" 2>&1 </dev/null &
job=$!
greets() {
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$port" && read -r -t 5 line <&3 && [[ $line == 220* ]] && echo QUIT >&3
}
for _ in $(seq 100); do
    if (greets) 2>/dev/null; then
        echo "listening on 127.0.0.1:$port"
        cat >/dev/null
        exit
    fi
    kill -0 "$job" 2>/dev/null || break
    sleep 0.1
done
cat "$dir/out" "$dir/log" >&2
echo "Postfix did not start" >&2
exit 1
