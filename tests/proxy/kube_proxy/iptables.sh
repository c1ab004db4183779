# What kube-proxy v1.34.3 runs in its iptables mode; recorded by tests/proxy/kube_proxy/record.
iptables-$VARIANT -w 5 -N KUBE-PROXY-CANARY -t mangle
iptables-$VARIANT -w 5 -N KUBE-PROXY-CANARY -t nat
iptables-$VARIANT -w 5 -N KUBE-EXTERNAL-SERVICES -t filter
iptables-$VARIANT -w 5 -I INPUT -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ externally-visible\ service\ portals -j KUBE-EXTERNAL-SERVICES
iptables-$VARIANT -w 5 -N KUBE-PROXY-CANARY -t filter
iptables-$VARIANT -w 5 -I FORWARD -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ externally-visible\ service\ portals -j KUBE-EXTERNAL-SERVICES
iptables-$VARIANT -w 5 -N KUBE-NODEPORTS -t filter
iptables-$VARIANT -w 5 -I INPUT -t filter -m comment --comment kubernetes\ health\ check\ service\ ports -j KUBE-NODEPORTS
iptables-$VARIANT -w 5 -N KUBE-SERVICES -t filter
iptables-$VARIANT -w 5 -I FORWARD -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ service\ portals -j KUBE-SERVICES
iptables-$VARIANT -w 5 -I OUTPUT -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ service\ portals -j KUBE-SERVICES
iptables-$VARIANT -w 5 -N KUBE-FORWARD -t filter
iptables-$VARIANT -w 5 -I FORWARD -t filter -m comment --comment kubernetes\ forwarding\ rules -j KUBE-FORWARD
iptables-$VARIANT -w 5 -N KUBE-PROXY-FIREWALL -t filter
iptables-$VARIANT -w 5 -I INPUT -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ load\ balancer\ firewall -j KUBE-PROXY-FIREWALL
iptables-$VARIANT -w 5 -I OUTPUT -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ load\ balancer\ firewall -j KUBE-PROXY-FIREWALL
iptables-$VARIANT -w 5 -I FORWARD -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ load\ balancer\ firewall -j KUBE-PROXY-FIREWALL
iptables-$VARIANT -w 5 -N KUBE-SERVICES -t nat
iptables-$VARIANT -w 5 -I OUTPUT -t nat -m comment --comment kubernetes\ service\ portals -j KUBE-SERVICES
iptables-$VARIANT -w 5 -I PREROUTING -t nat -m comment --comment kubernetes\ service\ portals -j KUBE-SERVICES
iptables-$VARIANT -w 5 -N KUBE-POSTROUTING -t nat
iptables-$VARIANT -w 5 -I POSTROUTING -t nat -m comment --comment kubernetes\ postrouting\ rules -j KUBE-POSTROUTING
iptables-$VARIANT -w 5 -N KUBE-FIREWALL -t filter
iptables-$VARIANT -w 5 -I INPUT -t filter -j KUBE-FIREWALL
iptables-$VARIANT -w 5 -I OUTPUT -t filter -j KUBE-FIREWALL
iptables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-FIREWALL - [0:0]
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d 10.96.0.4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-3Y5XYIXQYFW36XPA - [0:0]
:KUBE-SEP-B45PXYTKKIYANEKP - [0:0]
:KUBE-SEP-AYLP4MKSMV5CYRR7 - [0:0]
:KUBE-SEP-LXTEGV2KHULOQYEM - [0:0]
:KUBE-SVC-WDGLPRNHDVFY6E5F - [0:0]
:KUBE-SEP-OAKFP3W24E2DUMVJ - [0:0]
:KUBE-SEP-OXZDYHDTBX3FD3ZT - [0:0]
:KUBE-SEP-P4IBBXX63KENYAQZ - [0:0]
:KUBE-SVC-EWHCH4UGDNEATONU - [0:0]
:KUBE-SEP-44CPEA6URNMQ4CJL - [0:0]
:KUBE-SEP-PSTPZ43RCFIKM2XK - [0:0]
:KUBE-SEP-LOY4PGJZ5M25K3OK - [0:0]
:KUBE-EXT-P6XD2FE4WFAI7UFH - [0:0]
:KUBE-SVC-P6XD2FE4WFAI7UFH - [0:0]
:KUBE-SEP-OKELCWOWPBHEOJ2Z - [0:0]
:KUBE-SEP-K3EUPJBUY65AUEFZ - [0:0]
:KUBE-SEP-VMS4C6WI3IQSB4US - [0:0]
:KUBE-EXT-L3BEMHVV44ANP2NR - [0:0]
:KUBE-FW-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SVC-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SVL-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SEP-NFPEGMAOWGUH4XH5 - [0:0]
:KUBE-SEP-ICC4CO25KNZVGM2I - [0:0]
:KUBE-SEP-5TT3XLIWTET56RP7 - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> 10.244.1.2:8080" -m recent --name KUBE-SEP-B45PXYTKKIYANEKP --rcheck --seconds 10800 --reap -j KUBE-SEP-B45PXYTKKIYANEKP
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> 10.244.1.3:8080" -m recent --name KUBE-SEP-AYLP4MKSMV5CYRR7 --rcheck --seconds 10800 --reap -j KUBE-SEP-AYLP4MKSMV5CYRR7
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> 10.244.2.2:8080" -m recent --name KUBE-SEP-LXTEGV2KHULOQYEM --rcheck --seconds 10800 --reap -j KUBE-SEP-LXTEGV2KHULOQYEM
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> 10.244.1.2:8080" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-B45PXYTKKIYANEKP
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> 10.244.1.3:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-AYLP4MKSMV5CYRR7
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> 10.244.2.2:8080" -j KUBE-SEP-LXTEGV2KHULOQYEM
-A KUBE-SEP-B45PXYTKKIYANEKP -m comment --comment default/s5:main -s 10.244.1.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-B45PXYTKKIYANEKP -m comment --comment default/s5:main -m recent --name KUBE-SEP-B45PXYTKKIYANEKP --set -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-SEP-AYLP4MKSMV5CYRR7 -m comment --comment default/s5:main -s 10.244.1.3 -j KUBE-MARK-MASQ
-A KUBE-SEP-AYLP4MKSMV5CYRR7 -m comment --comment default/s5:main -m recent --name KUBE-SEP-AYLP4MKSMV5CYRR7 --set -m tcp -p tcp -j DNAT --to-destination 10.244.1.3:8080
-A KUBE-SEP-LXTEGV2KHULOQYEM -m comment --comment default/s5:main -s 10.244.2.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-LXTEGV2KHULOQYEM -m comment --comment default/s5:main -m recent --name KUBE-SEP-LXTEGV2KHULOQYEM --set -m tcp -p tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main -> 10.244.1.2:5353" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-OAKFP3W24E2DUMVJ
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main -> 10.244.1.3:5353" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-OXZDYHDTBX3FD3ZT
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main -> 10.244.2.2:5353" -j KUBE-SEP-P4IBBXX63KENYAQZ
-A KUBE-SEP-OAKFP3W24E2DUMVJ -m comment --comment default/s6:main -s 10.244.1.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-OAKFP3W24E2DUMVJ -m comment --comment default/s6:main -m udp -p udp -j DNAT --to-destination 10.244.1.2:5353
-A KUBE-SEP-OXZDYHDTBX3FD3ZT -m comment --comment default/s6:main -s 10.244.1.3 -j KUBE-MARK-MASQ
-A KUBE-SEP-OXZDYHDTBX3FD3ZT -m comment --comment default/s6:main -m udp -p udp -j DNAT --to-destination 10.244.1.3:5353
-A KUBE-SEP-P4IBBXX63KENYAQZ -m comment --comment default/s6:main -s 10.244.2.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-P4IBBXX63KENYAQZ -m comment --comment default/s6:main -m udp -p udp -j DNAT --to-destination 10.244.2.2:5353
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main -> 10.244.1.2:8080" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-44CPEA6URNMQ4CJL
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main -> 10.244.1.3:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-PSTPZ43RCFIKM2XK
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main -> 10.244.2.2:8080" -j KUBE-SEP-LOY4PGJZ5M25K3OK
-A KUBE-SEP-44CPEA6URNMQ4CJL -m comment --comment default/s1:main -s 10.244.1.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-44CPEA6URNMQ4CJL -m comment --comment default/s1:main -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-SEP-PSTPZ43RCFIKM2XK -m comment --comment default/s1:main -s 10.244.1.3 -j KUBE-MARK-MASQ
-A KUBE-SEP-PSTPZ43RCFIKM2XK -m comment --comment default/s1:main -m tcp -p tcp -j DNAT --to-destination 10.244.1.3:8080
-A KUBE-SEP-LOY4PGJZ5M25K3OK -m comment --comment default/s1:main -s 10.244.2.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-LOY4PGJZ5M25K3OK -m comment --comment default/s1:main -m tcp -p tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d 10.96.0.2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SVC-P6XD2FE4WFAI7UFH -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d 10.96.0.2 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-EXT-P6XD2FE4WFAI7UFH -m comment --comment "masquerade traffic for default/s2:main external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-P6XD2FE4WFAI7UFH -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-SVC-P6XD2FE4WFAI7UFH -m comment --comment "default/s2:main -> 10.244.1.2:8080" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-OKELCWOWPBHEOJ2Z
-A KUBE-SVC-P6XD2FE4WFAI7UFH -m comment --comment "default/s2:main -> 10.244.1.3:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-K3EUPJBUY65AUEFZ
-A KUBE-SVC-P6XD2FE4WFAI7UFH -m comment --comment "default/s2:main -> 10.244.2.2:8080" -j KUBE-SEP-VMS4C6WI3IQSB4US
-A KUBE-SEP-OKELCWOWPBHEOJ2Z -m comment --comment default/s2:main -s 10.244.1.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-OKELCWOWPBHEOJ2Z -m comment --comment default/s2:main -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-SEP-K3EUPJBUY65AUEFZ -m comment --comment default/s2:main -s 10.244.1.3 -j KUBE-MARK-MASQ
-A KUBE-SEP-K3EUPJBUY65AUEFZ -m comment --comment default/s2:main -m tcp -p tcp -j DNAT --to-destination 10.244.1.3:8080
-A KUBE-SEP-VMS4C6WI3IQSB4US -m comment --comment default/s2:main -s 10.244.2.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-VMS4C6WI3IQSB4US -m comment --comment default/s2:main -m tcp -p tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "pod traffic for default/s3:main external destinations" -s 10.244.0.0/16 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "masquerade LOCAL traffic for default/s3:main external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "route LOCAL traffic for default/s3:main external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-EXT-L3BEMHVV44ANP2NR -j KUBE-SVL-L3BEMHVV44ANP2NR
-A KUBE-FW-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main loadbalancer IP" -s 192.0.2.8/29 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-FW-L3BEMHVV44ANP2NR -m comment --comment "other traffic to default/s3:main will be dropped by KUBE-PROXY-FIREWALL"
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> 10.244.1.2:8080" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-NFPEGMAOWGUH4XH5
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> 10.244.1.3:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-ICC4CO25KNZVGM2I
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> 10.244.2.2:8080" -j KUBE-SEP-5TT3XLIWTET56RP7
-A KUBE-SVL-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> 10.244.1.2:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-NFPEGMAOWGUH4XH5
-A KUBE-SVL-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> 10.244.1.3:8080" -j KUBE-SEP-ICC4CO25KNZVGM2I
-A KUBE-SEP-NFPEGMAOWGUH4XH5 -m comment --comment default/s3:main -s 10.244.1.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-NFPEGMAOWGUH4XH5 -m comment --comment default/s3:main -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-SEP-ICC4CO25KNZVGM2I -m comment --comment default/s3:main -s 10.244.1.3 -j KUBE-MARK-MASQ
-A KUBE-SEP-ICC4CO25KNZVGM2I -m comment --comment default/s3:main -m tcp -p tcp -j DNAT --to-destination 10.244.1.3:8080
-A KUBE-SEP-5TT3XLIWTET56RP7 -m comment --comment default/s3:main -s 10.244.2.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-5TT3XLIWTET56RP7 -m comment --comment default/s3:main -m tcp -p tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
ip6tables-$VARIANT -w 5 -N KUBE-PROXY-CANARY -t mangle
ip6tables-$VARIANT -w 5 -N KUBE-PROXY-CANARY -t nat
ip6tables-$VARIANT -w 5 -N KUBE-EXTERNAL-SERVICES -t filter
ip6tables-$VARIANT -w 5 -I INPUT -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ externally-visible\ service\ portals -j KUBE-EXTERNAL-SERVICES
ip6tables-$VARIANT -w 5 -N KUBE-PROXY-CANARY -t filter
ip6tables-$VARIANT -w 5 -I FORWARD -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ externally-visible\ service\ portals -j KUBE-EXTERNAL-SERVICES
ip6tables-$VARIANT -w 5 -N KUBE-NODEPORTS -t filter
ip6tables-$VARIANT -w 5 -I INPUT -t filter -m comment --comment kubernetes\ health\ check\ service\ ports -j KUBE-NODEPORTS
ip6tables-$VARIANT -w 5 -N KUBE-SERVICES -t filter
ip6tables-$VARIANT -w 5 -I FORWARD -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ service\ portals -j KUBE-SERVICES
ip6tables-$VARIANT -w 5 -I OUTPUT -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ service\ portals -j KUBE-SERVICES
ip6tables-$VARIANT -w 5 -N KUBE-FORWARD -t filter
ip6tables-$VARIANT -w 5 -I FORWARD -t filter -m comment --comment kubernetes\ forwarding\ rules -j KUBE-FORWARD
ip6tables-$VARIANT -w 5 -N KUBE-PROXY-FIREWALL -t filter
ip6tables-$VARIANT -w 5 -I INPUT -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ load\ balancer\ firewall -j KUBE-PROXY-FIREWALL
ip6tables-$VARIANT -w 5 -I OUTPUT -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ load\ balancer\ firewall -j KUBE-PROXY-FIREWALL
ip6tables-$VARIANT -w 5 -I FORWARD -t filter -m conntrack --ctstate NEW -m comment --comment kubernetes\ load\ balancer\ firewall -j KUBE-PROXY-FIREWALL
ip6tables-$VARIANT -w 5 -N KUBE-SERVICES -t nat
ip6tables-$VARIANT -w 5 -I OUTPUT -t nat -m comment --comment kubernetes\ service\ portals -j KUBE-SERVICES
ip6tables-$VARIANT -w 5 -I PREROUTING -t nat -m comment --comment kubernetes\ service\ portals -j KUBE-SERVICES
ip6tables-$VARIANT -w 5 -N KUBE-POSTROUTING -t nat
ip6tables-$VARIANT -w 5 -I POSTROUTING -t nat -m comment --comment kubernetes\ postrouting\ rules -j KUBE-POSTROUTING
ip6tables-$VARIANT -w 5 -N KUBE-FIREWALL -t filter
ip6tables-$VARIANT -w 5 -I INPUT -t filter -j KUBE-FIREWALL
ip6tables-$VARIANT -w 5 -I OUTPUT -t filter -j KUBE-FIREWALL
ip6tables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d fd00:96::4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-3Y5XYIXQYFW36XPA - [0:0]
:KUBE-SEP-QBLP5PW3IKVKZQTW - [0:0]
:KUBE-SEP-FQR6GKTPIRWB42KX - [0:0]
:KUBE-SEP-OEVTDXKP3EVZ3L2Z - [0:0]
:KUBE-SVC-WDGLPRNHDVFY6E5F - [0:0]
:KUBE-SEP-6EMOV2KIQ5ELDQDG - [0:0]
:KUBE-SEP-KE6BR37AVXPTNLO2 - [0:0]
:KUBE-SEP-7QN5POYDKXKVO7AF - [0:0]
:KUBE-SVC-EWHCH4UGDNEATONU - [0:0]
:KUBE-SEP-EUIE2SLRRD7Z7L4P - [0:0]
:KUBE-SEP-6LYRUXQCGUYG55E7 - [0:0]
:KUBE-SEP-MFIJFT3PZKK2I7XZ - [0:0]
:KUBE-EXT-P6XD2FE4WFAI7UFH - [0:0]
:KUBE-SVC-P6XD2FE4WFAI7UFH - [0:0]
:KUBE-SEP-4Y3XYJVM7GRAWJ4A - [0:0]
:KUBE-SEP-T73U4UHELJYSTU4O - [0:0]
:KUBE-SEP-EXRIDUKBFB2QTVJC - [0:0]
:KUBE-EXT-L3BEMHVV44ANP2NR - [0:0]
:KUBE-FW-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SVC-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SVL-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SEP-5BVKO67XMEBBUDXH - [0:0]
:KUBE-SEP-HKUCMFKH3F5NPDEW - [0:0]
:KUBE-SEP-AB2NSKSMT2PERBYH - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 ! -s fd00:244::/32 -j KUBE-MARK-MASQ
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> [fd00:244:1::2]:8080" -m recent --name KUBE-SEP-QBLP5PW3IKVKZQTW --rcheck --seconds 10800 --reap -j KUBE-SEP-QBLP5PW3IKVKZQTW
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> [fd00:244:1::3]:8080" -m recent --name KUBE-SEP-FQR6GKTPIRWB42KX --rcheck --seconds 10800 --reap -j KUBE-SEP-FQR6GKTPIRWB42KX
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> [fd00:244:2::2]:8080" -m recent --name KUBE-SEP-OEVTDXKP3EVZ3L2Z --rcheck --seconds 10800 --reap -j KUBE-SEP-OEVTDXKP3EVZ3L2Z
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> [fd00:244:1::2]:8080" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-QBLP5PW3IKVKZQTW
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> [fd00:244:1::3]:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-FQR6GKTPIRWB42KX
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> [fd00:244:2::2]:8080" -j KUBE-SEP-OEVTDXKP3EVZ3L2Z
-A KUBE-SEP-QBLP5PW3IKVKZQTW -m comment --comment default/s5:main -s fd00:244:1::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-QBLP5PW3IKVKZQTW -m comment --comment default/s5:main -m recent --name KUBE-SEP-QBLP5PW3IKVKZQTW --set -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::2]:8080
-A KUBE-SEP-FQR6GKTPIRWB42KX -m comment --comment default/s5:main -s fd00:244:1::3 -j KUBE-MARK-MASQ
-A KUBE-SEP-FQR6GKTPIRWB42KX -m comment --comment default/s5:main -m recent --name KUBE-SEP-FQR6GKTPIRWB42KX --set -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::3]:8080
-A KUBE-SEP-OEVTDXKP3EVZ3L2Z -m comment --comment default/s5:main -s fd00:244:2::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-OEVTDXKP3EVZ3L2Z -m comment --comment default/s5:main -m recent --name KUBE-SEP-OEVTDXKP3EVZ3L2Z --set -m tcp -p tcp -j DNAT --to-destination [fd00:244:2::2]:8080
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 ! -s fd00:244::/32 -j KUBE-MARK-MASQ
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main -> [fd00:244:1::2]:5353" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-6EMOV2KIQ5ELDQDG
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main -> [fd00:244:1::3]:5353" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-KE6BR37AVXPTNLO2
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main -> [fd00:244:2::2]:5353" -j KUBE-SEP-7QN5POYDKXKVO7AF
-A KUBE-SEP-6EMOV2KIQ5ELDQDG -m comment --comment default/s6:main -s fd00:244:1::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-6EMOV2KIQ5ELDQDG -m comment --comment default/s6:main -m udp -p udp -j DNAT --to-destination [fd00:244:1::2]:5353
-A KUBE-SEP-KE6BR37AVXPTNLO2 -m comment --comment default/s6:main -s fd00:244:1::3 -j KUBE-MARK-MASQ
-A KUBE-SEP-KE6BR37AVXPTNLO2 -m comment --comment default/s6:main -m udp -p udp -j DNAT --to-destination [fd00:244:1::3]:5353
-A KUBE-SEP-7QN5POYDKXKVO7AF -m comment --comment default/s6:main -s fd00:244:2::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-7QN5POYDKXKVO7AF -m comment --comment default/s6:main -m udp -p udp -j DNAT --to-destination [fd00:244:2::2]:5353
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 ! -s fd00:244::/32 -j KUBE-MARK-MASQ
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main -> [fd00:244:1::2]:8080" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-EUIE2SLRRD7Z7L4P
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main -> [fd00:244:1::3]:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-6LYRUXQCGUYG55E7
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main -> [fd00:244:2::2]:8080" -j KUBE-SEP-MFIJFT3PZKK2I7XZ
-A KUBE-SEP-EUIE2SLRRD7Z7L4P -m comment --comment default/s1:main -s fd00:244:1::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-EUIE2SLRRD7Z7L4P -m comment --comment default/s1:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::2]:8080
-A KUBE-SEP-6LYRUXQCGUYG55E7 -m comment --comment default/s1:main -s fd00:244:1::3 -j KUBE-MARK-MASQ
-A KUBE-SEP-6LYRUXQCGUYG55E7 -m comment --comment default/s1:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::3]:8080
-A KUBE-SEP-MFIJFT3PZKK2I7XZ -m comment --comment default/s1:main -s fd00:244:2::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-MFIJFT3PZKK2I7XZ -m comment --comment default/s1:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:2::2]:8080
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d fd00:96::2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SVC-P6XD2FE4WFAI7UFH -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d fd00:96::2 --dport 80 ! -s fd00:244::/32 -j KUBE-MARK-MASQ
-A KUBE-EXT-P6XD2FE4WFAI7UFH -m comment --comment "masquerade traffic for default/s2:main external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-P6XD2FE4WFAI7UFH -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-SVC-P6XD2FE4WFAI7UFH -m comment --comment "default/s2:main -> [fd00:244:1::2]:8080" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-4Y3XYJVM7GRAWJ4A
-A KUBE-SVC-P6XD2FE4WFAI7UFH -m comment --comment "default/s2:main -> [fd00:244:1::3]:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-T73U4UHELJYSTU4O
-A KUBE-SVC-P6XD2FE4WFAI7UFH -m comment --comment "default/s2:main -> [fd00:244:2::2]:8080" -j KUBE-SEP-EXRIDUKBFB2QTVJC
-A KUBE-SEP-4Y3XYJVM7GRAWJ4A -m comment --comment default/s2:main -s fd00:244:1::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-4Y3XYJVM7GRAWJ4A -m comment --comment default/s2:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::2]:8080
-A KUBE-SEP-T73U4UHELJYSTU4O -m comment --comment default/s2:main -s fd00:244:1::3 -j KUBE-MARK-MASQ
-A KUBE-SEP-T73U4UHELJYSTU4O -m comment --comment default/s2:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::3]:8080
-A KUBE-SEP-EXRIDUKBFB2QTVJC -m comment --comment default/s2:main -s fd00:244:2::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-EXRIDUKBFB2QTVJC -m comment --comment default/s2:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:2::2]:8080
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 ! -s fd00:244::/32 -j KUBE-MARK-MASQ
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "pod traffic for default/s3:main external destinations" -s fd00:244::/32 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "masquerade LOCAL traffic for default/s3:main external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "route LOCAL traffic for default/s3:main external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-EXT-L3BEMHVV44ANP2NR -j KUBE-SVL-L3BEMHVV44ANP2NR
-A KUBE-FW-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main loadbalancer IP" -s 2001:db8::8/125 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-FW-L3BEMHVV44ANP2NR -m comment --comment "other traffic to default/s3:main will be dropped by KUBE-PROXY-FIREWALL"
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> [fd00:244:1::2]:8080" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-5BVKO67XMEBBUDXH
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> [fd00:244:1::3]:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-HKUCMFKH3F5NPDEW
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> [fd00:244:2::2]:8080" -j KUBE-SEP-AB2NSKSMT2PERBYH
-A KUBE-SVL-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> [fd00:244:1::2]:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-5BVKO67XMEBBUDXH
-A KUBE-SVL-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> [fd00:244:1::3]:8080" -j KUBE-SEP-HKUCMFKH3F5NPDEW
-A KUBE-SEP-5BVKO67XMEBBUDXH -m comment --comment default/s3:main -s fd00:244:1::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-5BVKO67XMEBBUDXH -m comment --comment default/s3:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::2]:8080
-A KUBE-SEP-HKUCMFKH3F5NPDEW -m comment --comment default/s3:main -s fd00:244:1::3 -j KUBE-MARK-MASQ
-A KUBE-SEP-HKUCMFKH3F5NPDEW -m comment --comment default/s3:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::3]:8080
-A KUBE-SEP-AB2NSKSMT2PERBYH -m comment --comment default/s3:main -s fd00:244:2::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-AB2NSKSMT2PERBYH -m comment --comment default/s3:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:2::2]:8080
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS
COMMIT
END
# What it runs when what it is told changes.
iptables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-FIREWALL - [0:0]
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d 10.96.0.4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-EWHCH4UGDNEATONU - [0:0]
:KUBE-SEP-44CPEA6URNMQ4CJL - [0:0]
:KUBE-SEP-LOY4PGJZ5M25K3OK - [0:0]
:KUBE-SEP-PSTPZ43RCFIKM2XK - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main -> 10.244.1.2:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-44CPEA6URNMQ4CJL
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main -> 10.244.2.2:8080" -j KUBE-SEP-LOY4PGJZ5M25K3OK
-A KUBE-SEP-44CPEA6URNMQ4CJL -m comment --comment default/s1:main -s 10.244.1.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-44CPEA6URNMQ4CJL -m comment --comment default/s1:main -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-SEP-LOY4PGJZ5M25K3OK -m comment --comment default/s1:main -s 10.244.2.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-LOY4PGJZ5M25K3OK -m comment --comment default/s1:main -m tcp -p tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d 10.96.0.2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-X KUBE-SEP-PSTPZ43RCFIKM2XK
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
iptables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-FIREWALL - [0:0]
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d 10.96.0.4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-EXT-L3BEMHVV44ANP2NR - [0:0]
:KUBE-FW-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SVC-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SVL-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SEP-NFPEGMAOWGUH4XH5 - [0:0]
:KUBE-SEP-5TT3XLIWTET56RP7 - [0:0]
:KUBE-SEP-ICC4CO25KNZVGM2I - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d 10.96.0.2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "pod traffic for default/s3:main external destinations" -s 10.244.0.0/16 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "masquerade LOCAL traffic for default/s3:main external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "route LOCAL traffic for default/s3:main external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-EXT-L3BEMHVV44ANP2NR -j KUBE-SVL-L3BEMHVV44ANP2NR
-A KUBE-FW-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main loadbalancer IP" -s 192.0.2.8/29 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-FW-L3BEMHVV44ANP2NR -m comment --comment "other traffic to default/s3:main will be dropped by KUBE-PROXY-FIREWALL"
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> 10.244.1.2:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-NFPEGMAOWGUH4XH5
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> 10.244.2.2:8080" -j KUBE-SEP-5TT3XLIWTET56RP7
-A KUBE-SVL-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> 10.244.1.2:8080" -j KUBE-SEP-NFPEGMAOWGUH4XH5
-A KUBE-SEP-NFPEGMAOWGUH4XH5 -m comment --comment default/s3:main -s 10.244.1.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-NFPEGMAOWGUH4XH5 -m comment --comment default/s3:main -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-SEP-5TT3XLIWTET56RP7 -m comment --comment default/s3:main -s 10.244.2.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-5TT3XLIWTET56RP7 -m comment --comment default/s3:main -m tcp -p tcp -j DNAT --to-destination 10.244.2.2:8080
-X KUBE-SEP-ICC4CO25KNZVGM2I
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
iptables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-FIREWALL - [0:0]
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d 10.96.0.4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-3Y5XYIXQYFW36XPA - [0:0]
:KUBE-SEP-B45PXYTKKIYANEKP - [0:0]
:KUBE-SEP-LXTEGV2KHULOQYEM - [0:0]
:KUBE-SEP-AYLP4MKSMV5CYRR7 - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> 10.244.1.2:8080" -m recent --name KUBE-SEP-B45PXYTKKIYANEKP --rcheck --seconds 10800 --reap -j KUBE-SEP-B45PXYTKKIYANEKP
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> 10.244.2.2:8080" -m recent --name KUBE-SEP-LXTEGV2KHULOQYEM --rcheck --seconds 10800 --reap -j KUBE-SEP-LXTEGV2KHULOQYEM
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> 10.244.1.2:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-B45PXYTKKIYANEKP
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> 10.244.2.2:8080" -j KUBE-SEP-LXTEGV2KHULOQYEM
-A KUBE-SEP-B45PXYTKKIYANEKP -m comment --comment default/s5:main -s 10.244.1.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-B45PXYTKKIYANEKP -m comment --comment default/s5:main -m recent --name KUBE-SEP-B45PXYTKKIYANEKP --set -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-SEP-LXTEGV2KHULOQYEM -m comment --comment default/s5:main -s 10.244.2.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-LXTEGV2KHULOQYEM -m comment --comment default/s5:main -m recent --name KUBE-SEP-LXTEGV2KHULOQYEM --set -m tcp -p tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d 10.96.0.2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-X KUBE-SEP-AYLP4MKSMV5CYRR7
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
iptables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-FIREWALL - [0:0]
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d 10.96.0.4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-WDGLPRNHDVFY6E5F - [0:0]
:KUBE-SEP-OAKFP3W24E2DUMVJ - [0:0]
:KUBE-SEP-P4IBBXX63KENYAQZ - [0:0]
:KUBE-SEP-OXZDYHDTBX3FD3ZT - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main -> 10.244.1.2:5353" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-OAKFP3W24E2DUMVJ
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main -> 10.244.2.2:5353" -j KUBE-SEP-P4IBBXX63KENYAQZ
-A KUBE-SEP-OAKFP3W24E2DUMVJ -m comment --comment default/s6:main -s 10.244.1.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-OAKFP3W24E2DUMVJ -m comment --comment default/s6:main -m udp -p udp -j DNAT --to-destination 10.244.1.2:5353
-A KUBE-SEP-P4IBBXX63KENYAQZ -m comment --comment default/s6:main -s 10.244.2.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-P4IBBXX63KENYAQZ -m comment --comment default/s6:main -m udp -p udp -j DNAT --to-destination 10.244.2.2:5353
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d 10.96.0.2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-X KUBE-SEP-OXZDYHDTBX3FD3ZT
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
iptables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-FIREWALL - [0:0]
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d 10.96.0.4 --dport 80 -j REJECT
-A KUBE-SERVICES -m comment --comment "default/s7:main has no endpoints" -m tcp -p tcp -d 10.96.0.7 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d 10.96.0.2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
iptables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-FIREWALL - [0:0]
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d 10.96.0.4 --dport 80 -j REJECT
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-2NXPKOYEFGMIYLFF - [0:0]
:KUBE-SEP-UIG7AGFDDNGBLA6D - [0:0]
:KUBE-SEP-PCTCRHYPQ57ZPAN3 - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s7:main cluster IP" -m tcp -p tcp -d 10.96.0.7 --dport 80 -j KUBE-SVC-2NXPKOYEFGMIYLFF
-A KUBE-SVC-2NXPKOYEFGMIYLFF -m comment --comment "default/s7:main cluster IP" -m tcp -p tcp -d 10.96.0.7 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-SVC-2NXPKOYEFGMIYLFF -m comment --comment "default/s7:main -> 10.244.1.2:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-UIG7AGFDDNGBLA6D
-A KUBE-SVC-2NXPKOYEFGMIYLFF -m comment --comment "default/s7:main -> 10.244.2.2:8080" -j KUBE-SEP-PCTCRHYPQ57ZPAN3
-A KUBE-SEP-UIG7AGFDDNGBLA6D -m comment --comment default/s7:main -s 10.244.1.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-UIG7AGFDDNGBLA6D -m comment --comment default/s7:main -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-SEP-PCTCRHYPQ57ZPAN3 -m comment --comment default/s7:main -s 10.244.2.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-PCTCRHYPQ57ZPAN3 -m comment --comment default/s7:main -m tcp -p tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d 10.96.0.2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
iptables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-FIREWALL - [0:0]
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d 10.96.0.4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-EXT-P6XD2FE4WFAI7UFH - [0:0]
:KUBE-SVC-P6XD2FE4WFAI7UFH - [0:0]
:KUBE-SEP-VMS4C6WI3IQSB4US - [0:0]
:KUBE-SEP-K3EUPJBUY65AUEFZ - [0:0]
:KUBE-SEP-OKELCWOWPBHEOJ2Z - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s7:main cluster IP" -m tcp -p tcp -d 10.96.0.7 --dport 80 -j KUBE-SVC-2NXPKOYEFGMIYLFF
-X KUBE-EXT-P6XD2FE4WFAI7UFH
-X KUBE-SVC-P6XD2FE4WFAI7UFH
-X KUBE-SEP-VMS4C6WI3IQSB4US
-X KUBE-SEP-K3EUPJBUY65AUEFZ
-X KUBE-SEP-OKELCWOWPBHEOJ2Z
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
iptables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-FIREWALL - [0:0]
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d 10.96.0.4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s7:main cluster IP" -m tcp -p tcp -d 10.96.0.7 --dport 80 -j KUBE-SVC-2NXPKOYEFGMIYLFF
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
iptables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-FIREWALL - [0:0]
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d 10.96.0.4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d 10.96.0.6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s7:main cluster IP" -m tcp -p tcp -d 10.96.0.7 --dport 80 -j KUBE-SVC-2NXPKOYEFGMIYLFF
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d 10.96.0.3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 203.0.113.3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp -d 127.0.0.0/8 --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d 10.96.0.5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
END
ip6tables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d fd00:96::4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-EWHCH4UGDNEATONU - [0:0]
:KUBE-SEP-EUIE2SLRRD7Z7L4P - [0:0]
:KUBE-SEP-MFIJFT3PZKK2I7XZ - [0:0]
:KUBE-SEP-6LYRUXQCGUYG55E7 - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 ! -s fd00:244::/32 -j KUBE-MARK-MASQ
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main -> [fd00:244:1::2]:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-EUIE2SLRRD7Z7L4P
-A KUBE-SVC-EWHCH4UGDNEATONU -m comment --comment "default/s1:main -> [fd00:244:2::2]:8080" -j KUBE-SEP-MFIJFT3PZKK2I7XZ
-A KUBE-SEP-EUIE2SLRRD7Z7L4P -m comment --comment default/s1:main -s fd00:244:1::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-EUIE2SLRRD7Z7L4P -m comment --comment default/s1:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::2]:8080
-A KUBE-SEP-MFIJFT3PZKK2I7XZ -m comment --comment default/s1:main -s fd00:244:2::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-MFIJFT3PZKK2I7XZ -m comment --comment default/s1:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:2::2]:8080
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d fd00:96::2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-X KUBE-SEP-6LYRUXQCGUYG55E7
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS
COMMIT
END
ip6tables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d fd00:96::4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-EXT-L3BEMHVV44ANP2NR - [0:0]
:KUBE-FW-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SVC-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SVL-L3BEMHVV44ANP2NR - [0:0]
:KUBE-SEP-5BVKO67XMEBBUDXH - [0:0]
:KUBE-SEP-AB2NSKSMT2PERBYH - [0:0]
:KUBE-SEP-HKUCMFKH3F5NPDEW - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d fd00:96::2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 ! -s fd00:244::/32 -j KUBE-MARK-MASQ
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "pod traffic for default/s3:main external destinations" -s fd00:244::/32 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "masquerade LOCAL traffic for default/s3:main external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
-A KUBE-EXT-L3BEMHVV44ANP2NR -m comment --comment "route LOCAL traffic for default/s3:main external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-EXT-L3BEMHVV44ANP2NR -j KUBE-SVL-L3BEMHVV44ANP2NR
-A KUBE-FW-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main loadbalancer IP" -s 2001:db8::8/125 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-FW-L3BEMHVV44ANP2NR -m comment --comment "other traffic to default/s3:main will be dropped by KUBE-PROXY-FIREWALL"
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> [fd00:244:1::2]:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-5BVKO67XMEBBUDXH
-A KUBE-SVC-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> [fd00:244:2::2]:8080" -j KUBE-SEP-AB2NSKSMT2PERBYH
-A KUBE-SVL-L3BEMHVV44ANP2NR -m comment --comment "default/s3:main -> [fd00:244:1::2]:8080" -j KUBE-SEP-5BVKO67XMEBBUDXH
-A KUBE-SEP-5BVKO67XMEBBUDXH -m comment --comment default/s3:main -s fd00:244:1::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-5BVKO67XMEBBUDXH -m comment --comment default/s3:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::2]:8080
-A KUBE-SEP-AB2NSKSMT2PERBYH -m comment --comment default/s3:main -s fd00:244:2::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-AB2NSKSMT2PERBYH -m comment --comment default/s3:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:2::2]:8080
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-X KUBE-SEP-HKUCMFKH3F5NPDEW
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS
COMMIT
END
ip6tables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d fd00:96::4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-3Y5XYIXQYFW36XPA - [0:0]
:KUBE-SEP-QBLP5PW3IKVKZQTW - [0:0]
:KUBE-SEP-OEVTDXKP3EVZ3L2Z - [0:0]
:KUBE-SEP-FQR6GKTPIRWB42KX - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d fd00:96::2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 ! -s fd00:244::/32 -j KUBE-MARK-MASQ
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> [fd00:244:1::2]:8080" -m recent --name KUBE-SEP-QBLP5PW3IKVKZQTW --rcheck --seconds 10800 --reap -j KUBE-SEP-QBLP5PW3IKVKZQTW
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> [fd00:244:2::2]:8080" -m recent --name KUBE-SEP-OEVTDXKP3EVZ3L2Z --rcheck --seconds 10800 --reap -j KUBE-SEP-OEVTDXKP3EVZ3L2Z
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> [fd00:244:1::2]:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-QBLP5PW3IKVKZQTW
-A KUBE-SVC-3Y5XYIXQYFW36XPA -m comment --comment "default/s5:main -> [fd00:244:2::2]:8080" -j KUBE-SEP-OEVTDXKP3EVZ3L2Z
-A KUBE-SEP-QBLP5PW3IKVKZQTW -m comment --comment default/s5:main -s fd00:244:1::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-QBLP5PW3IKVKZQTW -m comment --comment default/s5:main -m recent --name KUBE-SEP-QBLP5PW3IKVKZQTW --set -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::2]:8080
-A KUBE-SEP-OEVTDXKP3EVZ3L2Z -m comment --comment default/s5:main -s fd00:244:2::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-OEVTDXKP3EVZ3L2Z -m comment --comment default/s5:main -m recent --name KUBE-SEP-OEVTDXKP3EVZ3L2Z --set -m tcp -p tcp -j DNAT --to-destination [fd00:244:2::2]:8080
-X KUBE-SEP-FQR6GKTPIRWB42KX
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS
COMMIT
END
ip6tables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d fd00:96::4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-WDGLPRNHDVFY6E5F - [0:0]
:KUBE-SEP-6EMOV2KIQ5ELDQDG - [0:0]
:KUBE-SEP-7QN5POYDKXKVO7AF - [0:0]
:KUBE-SEP-KE6BR37AVXPTNLO2 - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d fd00:96::2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 ! -s fd00:244::/32 -j KUBE-MARK-MASQ
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main -> [fd00:244:1::2]:5353" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-6EMOV2KIQ5ELDQDG
-A KUBE-SVC-WDGLPRNHDVFY6E5F -m comment --comment "default/s6:main -> [fd00:244:2::2]:5353" -j KUBE-SEP-7QN5POYDKXKVO7AF
-A KUBE-SEP-6EMOV2KIQ5ELDQDG -m comment --comment default/s6:main -s fd00:244:1::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-6EMOV2KIQ5ELDQDG -m comment --comment default/s6:main -m udp -p udp -j DNAT --to-destination [fd00:244:1::2]:5353
-A KUBE-SEP-7QN5POYDKXKVO7AF -m comment --comment default/s6:main -s fd00:244:2::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-7QN5POYDKXKVO7AF -m comment --comment default/s6:main -m udp -p udp -j DNAT --to-destination [fd00:244:2::2]:5353
-X KUBE-SEP-KE6BR37AVXPTNLO2
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS
COMMIT
END
ip6tables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d fd00:96::4 --dport 80 -j REJECT
-A KUBE-SERVICES -m comment --comment "default/s7:main has no endpoints" -m tcp -p tcp -d fd00:96::7 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d fd00:96::2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS
COMMIT
END
ip6tables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d fd00:96::4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-2NXPKOYEFGMIYLFF - [0:0]
:KUBE-SEP-5DEJS6LQTIK7R7BF - [0:0]
:KUBE-SEP-EAZSMEBFZWT5FETH - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s2:main cluster IP" -m tcp -p tcp -d fd00:96::2 --dport 80 -j KUBE-SVC-P6XD2FE4WFAI7UFH
-A KUBE-NODEPORTS -m comment --comment default/s2:main -m tcp -p tcp --dport 30002 -j KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s7:main cluster IP" -m tcp -p tcp -d fd00:96::7 --dport 80 -j KUBE-SVC-2NXPKOYEFGMIYLFF
-A KUBE-SVC-2NXPKOYEFGMIYLFF -m comment --comment "default/s7:main cluster IP" -m tcp -p tcp -d fd00:96::7 --dport 80 ! -s fd00:244::/32 -j KUBE-MARK-MASQ
-A KUBE-SVC-2NXPKOYEFGMIYLFF -m comment --comment "default/s7:main -> [fd00:244:1::2]:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-5DEJS6LQTIK7R7BF
-A KUBE-SVC-2NXPKOYEFGMIYLFF -m comment --comment "default/s7:main -> [fd00:244:2::2]:8080" -j KUBE-SEP-EAZSMEBFZWT5FETH
-A KUBE-SEP-5DEJS6LQTIK7R7BF -m comment --comment default/s7:main -s fd00:244:1::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-5DEJS6LQTIK7R7BF -m comment --comment default/s7:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:1::2]:8080
-A KUBE-SEP-EAZSMEBFZWT5FETH -m comment --comment default/s7:main -s fd00:244:2::2 -j KUBE-MARK-MASQ
-A KUBE-SEP-EAZSMEBFZWT5FETH -m comment --comment default/s7:main -m tcp -p tcp -j DNAT --to-destination [fd00:244:2::2]:8080
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS
COMMIT
END
ip6tables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d fd00:96::4 --dport 80 -j REJECT
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SEP-4Y3XYJVM7GRAWJ4A - [0:0]
:KUBE-SEP-EXRIDUKBFB2QTVJC - [0:0]
:KUBE-SEP-T73U4UHELJYSTU4O - [0:0]
:KUBE-SVC-P6XD2FE4WFAI7UFH - [0:0]
:KUBE-EXT-P6XD2FE4WFAI7UFH - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s7:main cluster IP" -m tcp -p tcp -d fd00:96::7 --dport 80 -j KUBE-SVC-2NXPKOYEFGMIYLFF
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-X KUBE-SEP-4Y3XYJVM7GRAWJ4A
-X KUBE-SEP-EXRIDUKBFB2QTVJC
-X KUBE-SEP-T73U4UHELJYSTU4O
-X KUBE-SVC-P6XD2FE4WFAI7UFH
-X KUBE-EXT-P6XD2FE4WFAI7UFH
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS
COMMIT
END
ip6tables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d fd00:96::4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s7:main cluster IP" -m tcp -p tcp -d fd00:96::7 --dport 80 -j KUBE-SVC-2NXPKOYEFGMIYLFF
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS
COMMIT
END
ip6tables-$VARIANT-restore -w 5 --noflush --counters <<'END'
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-PROXY-FIREWALL -m comment --comment "default/s3:main traffic not accepted by KUBE-FW-L3BEMHVV44ANP2NR" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment "default/s3:main health check node port" -m tcp -p tcp --dport 30033 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "default/s4:main has no endpoints" -m tcp -p tcp -d fd00:96::4 --dport 80 -j REJECT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x00004000/0x00004000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000
-A KUBE-SERVICES -m comment --comment "default/s6:main cluster IP" -m udp -p udp -d fd00:96::6 --dport 80 -j KUBE-SVC-WDGLPRNHDVFY6E5F
-A KUBE-SERVICES -m comment --comment "default/s1:main cluster IP" -m tcp -p tcp -d fd00:96::1 --dport 80 -j KUBE-SVC-EWHCH4UGDNEATONU
-A KUBE-SERVICES -m comment --comment "default/s3:main cluster IP" -m tcp -p tcp -d fd00:96::3 --dport 80 -j KUBE-SVC-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s3:main loadbalancer IP" -m tcp -p tcp -d 2001:db8:113::3 --dport 80 -j KUBE-FW-L3BEMHVV44ANP2NR
-A KUBE-NODEPORTS -m comment --comment default/s3:main -m tcp -p tcp --dport 30003 -j KUBE-EXT-L3BEMHVV44ANP2NR
-A KUBE-SERVICES -m comment --comment "default/s5:main cluster IP" -m tcp -p tcp -d fd00:96::5 --dport 80 -j KUBE-SVC-3Y5XYIXQYFW36XPA
-A KUBE-SERVICES -m comment --comment "default/s7:main cluster IP" -m tcp -p tcp -d fd00:96::7 --dport 80 -j KUBE-SVC-2NXPKOYEFGMIYLFF
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL ! -d ::1/128 -j KUBE-NODEPORTS
COMMIT
END
