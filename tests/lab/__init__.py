"""The lab: instruments that set up real faults for the programs under test.

Each module is one instrument. Hosts are namespaces that vanish with the process that made them, so
nothing has a name outside and nothing is left behind, whatever happens to a test.

    host         a machine: network and mount namespace, private /etc, /run, links to other hosts
    process      a program that runs on a host
    scene        one test's hosts, files and programs, taken down together
    pki          certificate authorities, and certificates with every defect
    resolver     a DNS server that answers as told, or not at all
    listener     a TCP listener that misbehaves before TLS
    tls_server   a TLS server with a given certificate, version and suites
    alert_server a server that answers a ClientHello with one chosen alert
    record       TLS records and the few handshake messages made by hand
    relay        a relay of TLS records that flips, cuts, swallows, doubles, injects
    web_server   an HTTPS server that is no gateway, or a broken one
    cookie_proxy a TLS proxy before a gateway that changes or remembers the session cookie
    datagram_relay a network between client and server that loses, doubles, delays, damages datagrams
    ledger       every counter on the way of a packet, held against the others
    datagrams    what carries datagrams, lost on the way; what our client says about it
    ocserv       the stock gateway
    openconnect  the stock client
    gateway      our gateway
    client       our client, with --json
    machine      what a client changes on its machine, before and after
    traffic      files, pings, flows and beats through a tunnel
    hardship     full load both ways while datagrams are cut and the cable changes
    cases        tests with sentences for names
"""
