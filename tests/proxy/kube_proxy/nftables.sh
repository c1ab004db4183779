# What kube-proxy v1.34.3 runs in its nftables mode; recorded by tests/proxy/kube_proxy/record.
nft -f - <<'END'
add table ip kube-proxy { comment "rules for kube-proxy" ; }
add chain ip kube-proxy filter-prerouting-pre-dnat
delete chain ip kube-proxy filter-prerouting-pre-dnat
add chain ip kube-proxy filter-output-pre-dnat
delete chain ip kube-proxy filter-output-pre-dnat
add chain ip kube-proxy filter-input
delete chain ip kube-proxy filter-input
add chain ip kube-proxy filter-forward
delete chain ip kube-proxy filter-forward
add chain ip kube-proxy filter-output
delete chain ip kube-proxy filter-output
add chain ip kube-proxy nat-prerouting
delete chain ip kube-proxy nat-prerouting
add chain ip kube-proxy nat-output
delete chain ip kube-proxy nat-output
add chain ip kube-proxy nat-postrouting
delete chain ip kube-proxy nat-postrouting
add chain ip kube-proxy filter-prerouting-pre-dnat { type filter hook prerouting priority -110 ; }
flush chain ip kube-proxy filter-prerouting-pre-dnat
add chain ip kube-proxy filter-output-pre-dnat { type filter hook output priority -110 ; }
flush chain ip kube-proxy filter-output-pre-dnat
add chain ip kube-proxy filter-input { type filter hook input priority 0 ; }
flush chain ip kube-proxy filter-input
add chain ip kube-proxy filter-forward { type filter hook forward priority 0 ; }
flush chain ip kube-proxy filter-forward
add chain ip kube-proxy filter-output { type filter hook output priority 0 ; }
flush chain ip kube-proxy filter-output
add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100 ; }
flush chain ip kube-proxy nat-prerouting
add chain ip kube-proxy nat-output { type nat hook output priority -100 ; }
flush chain ip kube-proxy nat-output
add chain ip kube-proxy nat-postrouting { type nat hook postrouting priority 100 ; }
flush chain ip kube-proxy nat-postrouting
add chain ip kube-proxy nodeport-endpoints-check
flush chain ip kube-proxy nodeport-endpoints-check
add rule ip kube-proxy filter-input ct state new jump nodeport-endpoints-check
add chain ip kube-proxy service-endpoints-check
flush chain ip kube-proxy service-endpoints-check
add rule ip kube-proxy filter-input ct state new jump service-endpoints-check
add rule ip kube-proxy filter-forward ct state new jump service-endpoints-check
add rule ip kube-proxy filter-output ct state new jump service-endpoints-check
add chain ip kube-proxy firewall-check
flush chain ip kube-proxy firewall-check
add rule ip kube-proxy filter-prerouting-pre-dnat ct state new jump firewall-check
add rule ip kube-proxy filter-output-pre-dnat ct state new jump firewall-check
add chain ip kube-proxy services
flush chain ip kube-proxy services
add rule ip kube-proxy nat-output jump services
add rule ip kube-proxy nat-prerouting jump services
add chain ip kube-proxy masquerading
flush chain ip kube-proxy masquerading
add rule ip kube-proxy nat-postrouting jump masquerading
add chain ip kube-proxy cluster-ips-check
flush chain ip kube-proxy cluster-ips-check
add rule ip kube-proxy filter-forward ct state new jump cluster-ips-check
add rule ip kube-proxy filter-output ct state new jump cluster-ips-check
add chain ip kube-proxy mark-for-masquerade
flush chain ip kube-proxy mark-for-masquerade
add rule ip kube-proxy mark-for-masquerade mark set mark or 0x00004000
add rule ip kube-proxy masquerading mark and 0x00004000 == 0 return
add rule ip kube-proxy masquerading mark set mark xor 0x00004000
add rule ip kube-proxy masquerading masquerade fully-random
add set ip kube-proxy cluster-ips { type ipv4_addr ; comment "Active ClusterIPs" ; }
add rule ip kube-proxy cluster-ips-check ip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"
add rule ip kube-proxy cluster-ips-check ip daddr { 10.96.0.0/16 } drop comment "Drop traffic to unallocated ClusterIPs"
add set ip kube-proxy nodeport-ips { type ipv4_addr ; comment "IPs that accept NodePort traffic" ; }
flush set ip kube-proxy nodeport-ips
add element ip kube-proxy nodeport-ips { 192.0.2.1 }
add map ip kube-proxy no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict ; comment "vmap to drop or reject packets to services with no endpoints" ; }
add map ip kube-proxy no-endpoint-nodeports { type inet_proto . inet_service : verdict ; comment "vmap to drop or reject packets to service nodeports with no endpoints" ; }
add chain ip kube-proxy reject-chain { comment "helper for @no-endpoint-services / @no-endpoint-nodeports" ; }
flush chain ip kube-proxy reject-chain
add rule ip kube-proxy reject-chain reject
add rule ip kube-proxy service-endpoints-check ip daddr . meta l4proto . th dport vmap @no-endpoint-services
add rule ip kube-proxy nodeport-endpoints-check ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
add map ip kube-proxy firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict ; comment "destinations that are subject to LoadBalancerSourceRanges" ; }
add rule ip kube-proxy firewall-check ip daddr . meta l4proto . th dport vmap @firewall-ips
add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; comment "ClusterIP, ExternalIP and LoadBalancer IP traffic" ; }
add map ip kube-proxy service-nodeports { type inet_proto . inet_service : verdict ; comment "NodePort traffic" ; }
add rule ip kube-proxy services ip daddr . meta l4proto . th dport vmap @service-ips
add rule ip kube-proxy services ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
add chain ip kube-proxy endpoint-2CDIAERC-default/s2/tcp/main__10.244.1.2/8080
flush chain ip kube-proxy endpoint-2CDIAERC-default/s2/tcp/main__10.244.1.2/8080
add chain ip kube-proxy endpoint-2EH7P6BI-default/s2/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-2EH7P6BI-default/s2/tcp/main__10.244.1.3/8080
add chain ip kube-proxy endpoint-SKJBL6DO-default/s2/tcp/main__10.244.2.2/8080
flush chain ip kube-proxy endpoint-SKJBL6DO-default/s2/tcp/main__10.244.2.2/8080
add chain ip kube-proxy service-JZCSPIGH-default/s2/tcp/main
flush chain ip kube-proxy service-JZCSPIGH-default/s2/tcp/main
add chain ip kube-proxy external-JZCSPIGH-default/s2/tcp/main
flush chain ip kube-proxy external-JZCSPIGH-default/s2/tcp/main
add element ip kube-proxy cluster-ips { 10.96.0.2 }
add element ip kube-proxy service-ips { 10.96.0.2 . tcp . 80 : goto service-JZCSPIGH-default/s2/tcp/main }
add element ip kube-proxy service-nodeports { tcp . 30002 : goto external-JZCSPIGH-default/s2/tcp/main }
add rule ip kube-proxy service-JZCSPIGH-default/s2/tcp/main ip daddr 10.96.0.2 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
add rule ip kube-proxy external-JZCSPIGH-default/s2/tcp/main jump mark-for-masquerade
add rule ip kube-proxy external-JZCSPIGH-default/s2/tcp/main goto service-JZCSPIGH-default/s2/tcp/main
add rule ip kube-proxy service-JZCSPIGH-default/s2/tcp/main numgen random mod 3 vmap { 0 : goto endpoint-2CDIAERC-default/s2/tcp/main__10.244.1.2/8080 , 1 : goto endpoint-2EH7P6BI-default/s2/tcp/main__10.244.1.3/8080 , 2 : goto endpoint-SKJBL6DO-default/s2/tcp/main__10.244.2.2/8080 }
add rule ip kube-proxy endpoint-2CDIAERC-default/s2/tcp/main__10.244.1.2/8080 ip saddr 10.244.1.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-2CDIAERC-default/s2/tcp/main__10.244.1.2/8080 meta l4proto tcp dnat to 10.244.1.2:8080
add rule ip kube-proxy endpoint-2EH7P6BI-default/s2/tcp/main__10.244.1.3/8080 ip saddr 10.244.1.3 jump mark-for-masquerade
add rule ip kube-proxy endpoint-2EH7P6BI-default/s2/tcp/main__10.244.1.3/8080 meta l4proto tcp dnat to 10.244.1.3:8080
add rule ip kube-proxy endpoint-SKJBL6DO-default/s2/tcp/main__10.244.2.2/8080 ip saddr 10.244.2.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-SKJBL6DO-default/s2/tcp/main__10.244.2.2/8080 meta l4proto tcp dnat to 10.244.2.2:8080
add chain ip kube-proxy endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080
flush chain ip kube-proxy endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080
add chain ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080
add chain ip kube-proxy endpoint-T6TIHO7D-default/s3/tcp/main__10.244.2.2/8080
flush chain ip kube-proxy endpoint-T6TIHO7D-default/s3/tcp/main__10.244.2.2/8080
add chain ip kube-proxy service-OCP2RDLK-default/s3/tcp/main
flush chain ip kube-proxy service-OCP2RDLK-default/s3/tcp/main
add chain ip kube-proxy local-OCP2RDLK-default/s3/tcp/main
flush chain ip kube-proxy local-OCP2RDLK-default/s3/tcp/main
add chain ip kube-proxy external-OCP2RDLK-default/s3/tcp/main
flush chain ip kube-proxy external-OCP2RDLK-default/s3/tcp/main
add element ip kube-proxy cluster-ips { 10.96.0.3 }
add element ip kube-proxy service-ips { 10.96.0.3 . tcp . 80 : goto service-OCP2RDLK-default/s3/tcp/main }
add chain ip kube-proxy firewall-OCP2RDLK-default/s3/tcp/main
flush chain ip kube-proxy firewall-OCP2RDLK-default/s3/tcp/main
add element ip kube-proxy service-ips { 203.0.113.3 . tcp . 80 : goto external-OCP2RDLK-default/s3/tcp/main }
add element ip kube-proxy firewall-ips { 203.0.113.3 . tcp . 80 : goto firewall-OCP2RDLK-default/s3/tcp/main }
add element ip kube-proxy service-nodeports { tcp . 30003 : goto external-OCP2RDLK-default/s3/tcp/main }
add rule ip kube-proxy service-OCP2RDLK-default/s3/tcp/main ip daddr 10.96.0.3 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
add rule ip kube-proxy external-OCP2RDLK-default/s3/tcp/main ip saddr 10.244.0.0/16 goto service-OCP2RDLK-default/s3/tcp/main comment "short-circuit pod traffic"
add rule ip kube-proxy external-OCP2RDLK-default/s3/tcp/main fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"
add rule ip kube-proxy external-OCP2RDLK-default/s3/tcp/main fib saddr type local goto service-OCP2RDLK-default/s3/tcp/main comment "short-circuit local traffic"
add rule ip kube-proxy external-OCP2RDLK-default/s3/tcp/main goto local-OCP2RDLK-default/s3/tcp/main
add rule ip kube-proxy firewall-OCP2RDLK-default/s3/tcp/main ip saddr != { 192.0.2.8/29 } drop
add rule ip kube-proxy service-OCP2RDLK-default/s3/tcp/main numgen random mod 3 vmap { 0 : goto endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080 , 1 : goto endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080 , 2 : goto endpoint-T6TIHO7D-default/s3/tcp/main__10.244.2.2/8080 }
add rule ip kube-proxy local-OCP2RDLK-default/s3/tcp/main numgen random mod 2 vmap { 0 : goto endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080 , 1 : goto endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080 }
add rule ip kube-proxy endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080 ip saddr 10.244.1.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080 meta l4proto tcp dnat to 10.244.1.2:8080
add rule ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080 ip saddr 10.244.1.3 jump mark-for-masquerade
add rule ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080 meta l4proto tcp dnat to 10.244.1.3:8080
add rule ip kube-proxy endpoint-T6TIHO7D-default/s3/tcp/main__10.244.2.2/8080 ip saddr 10.244.2.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-T6TIHO7D-default/s3/tcp/main__10.244.2.2/8080 meta l4proto tcp dnat to 10.244.2.2:8080
add element ip kube-proxy cluster-ips { 10.96.0.4 }
add element ip kube-proxy no-endpoint-services { 10.96.0.4 . tcp . 80 comment "default/s4:main" : goto reject-chain }
add chain ip kube-proxy endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080
flush chain ip kube-proxy endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080
add chain ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
add chain ip kube-proxy endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080
flush chain ip kube-proxy endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080
add chain ip kube-proxy service-G3MHXWYD-default/s5/tcp/main
flush chain ip kube-proxy service-G3MHXWYD-default/s5/tcp/main
add element ip kube-proxy cluster-ips { 10.96.0.5 }
add element ip kube-proxy service-ips { 10.96.0.5 . tcp . 80 : goto service-G3MHXWYD-default/s5/tcp/main }
add rule ip kube-proxy service-G3MHXWYD-default/s5/tcp/main ip daddr 10.96.0.5 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
add set ip kube-proxy affinity-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 { type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }
add set ip kube-proxy affinity-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080 { type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }
add set ip kube-proxy affinity-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 { type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }
add rule ip kube-proxy service-G3MHXWYD-default/s5/tcp/main ip saddr @affinity-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 goto endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080
add rule ip kube-proxy service-G3MHXWYD-default/s5/tcp/main ip saddr @affinity-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080 goto endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
add rule ip kube-proxy service-G3MHXWYD-default/s5/tcp/main ip saddr @affinity-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 goto endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080
add rule ip kube-proxy service-G3MHXWYD-default/s5/tcp/main numgen random mod 3 vmap { 0 : goto endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 , 1 : goto endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080 , 2 : goto endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 }
add rule ip kube-proxy endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 ip saddr 10.244.1.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 update @affinity-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 { ip saddr }
add rule ip kube-proxy endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 meta l4proto tcp dnat to 10.244.1.2:8080
add rule ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080 ip saddr 10.244.1.3 jump mark-for-masquerade
add rule ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080 update @affinity-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080 { ip saddr }
add rule ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080 meta l4proto tcp dnat to 10.244.1.3:8080
add rule ip kube-proxy endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 ip saddr 10.244.2.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 update @affinity-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 { ip saddr }
add rule ip kube-proxy endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 meta l4proto tcp dnat to 10.244.2.2:8080
add chain ip kube-proxy endpoint-MKVWLZWO-default/s6/udp/main__10.244.1.2/5353
flush chain ip kube-proxy endpoint-MKVWLZWO-default/s6/udp/main__10.244.1.2/5353
add chain ip kube-proxy endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353
flush chain ip kube-proxy endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353
add chain ip kube-proxy endpoint-J52ZIT3B-default/s6/udp/main__10.244.2.2/5353
flush chain ip kube-proxy endpoint-J52ZIT3B-default/s6/udp/main__10.244.2.2/5353
add chain ip kube-proxy service-6OPDLA6V-default/s6/udp/main
flush chain ip kube-proxy service-6OPDLA6V-default/s6/udp/main
add element ip kube-proxy cluster-ips { 10.96.0.6 }
add element ip kube-proxy service-ips { 10.96.0.6 . udp . 80 : goto service-6OPDLA6V-default/s6/udp/main }
add rule ip kube-proxy service-6OPDLA6V-default/s6/udp/main ip daddr 10.96.0.6 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
add rule ip kube-proxy service-6OPDLA6V-default/s6/udp/main numgen random mod 3 vmap { 0 : goto endpoint-MKVWLZWO-default/s6/udp/main__10.244.1.2/5353 , 1 : goto endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353 , 2 : goto endpoint-J52ZIT3B-default/s6/udp/main__10.244.2.2/5353 }
add rule ip kube-proxy endpoint-MKVWLZWO-default/s6/udp/main__10.244.1.2/5353 ip saddr 10.244.1.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-MKVWLZWO-default/s6/udp/main__10.244.1.2/5353 meta l4proto udp dnat to 10.244.1.2:5353
add rule ip kube-proxy endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353 ip saddr 10.244.1.3 jump mark-for-masquerade
add rule ip kube-proxy endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353 meta l4proto udp dnat to 10.244.1.3:5353
add rule ip kube-proxy endpoint-J52ZIT3B-default/s6/udp/main__10.244.2.2/5353 ip saddr 10.244.2.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-J52ZIT3B-default/s6/udp/main__10.244.2.2/5353 meta l4proto udp dnat to 10.244.2.2:5353
add chain ip kube-proxy endpoint-LRNBXFDI-default/s1/tcp/main__10.244.1.2/8080
flush chain ip kube-proxy endpoint-LRNBXFDI-default/s1/tcp/main__10.244.1.2/8080
add chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
add chain ip kube-proxy endpoint-55CWOZYW-default/s1/tcp/main__10.244.2.2/8080
flush chain ip kube-proxy endpoint-55CWOZYW-default/s1/tcp/main__10.244.2.2/8080
add chain ip kube-proxy service-ZLQZIINO-default/s1/tcp/main
flush chain ip kube-proxy service-ZLQZIINO-default/s1/tcp/main
add element ip kube-proxy cluster-ips { 10.96.0.1 }
add element ip kube-proxy service-ips { 10.96.0.1 . tcp . 80 : goto service-ZLQZIINO-default/s1/tcp/main }
add rule ip kube-proxy service-ZLQZIINO-default/s1/tcp/main ip daddr 10.96.0.1 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
add rule ip kube-proxy service-ZLQZIINO-default/s1/tcp/main numgen random mod 3 vmap { 0 : goto endpoint-LRNBXFDI-default/s1/tcp/main__10.244.1.2/8080 , 1 : goto endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080 , 2 : goto endpoint-55CWOZYW-default/s1/tcp/main__10.244.2.2/8080 }
add rule ip kube-proxy endpoint-LRNBXFDI-default/s1/tcp/main__10.244.1.2/8080 ip saddr 10.244.1.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-LRNBXFDI-default/s1/tcp/main__10.244.1.2/8080 meta l4proto tcp dnat to 10.244.1.2:8080
add rule ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080 ip saddr 10.244.1.3 jump mark-for-masquerade
add rule ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080 meta l4proto tcp dnat to 10.244.1.3:8080
add rule ip kube-proxy endpoint-55CWOZYW-default/s1/tcp/main__10.244.2.2/8080 ip saddr 10.244.2.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-55CWOZYW-default/s1/tcp/main__10.244.2.2/8080 meta l4proto tcp dnat to 10.244.2.2:8080
END
nft -f - <<'END'
add table ip6 kube-proxy { comment "rules for kube-proxy" ; }
add chain ip6 kube-proxy filter-prerouting-pre-dnat
delete chain ip6 kube-proxy filter-prerouting-pre-dnat
add chain ip6 kube-proxy filter-output-pre-dnat
delete chain ip6 kube-proxy filter-output-pre-dnat
add chain ip6 kube-proxy filter-input
delete chain ip6 kube-proxy filter-input
add chain ip6 kube-proxy filter-forward
delete chain ip6 kube-proxy filter-forward
add chain ip6 kube-proxy filter-output
delete chain ip6 kube-proxy filter-output
add chain ip6 kube-proxy nat-prerouting
delete chain ip6 kube-proxy nat-prerouting
add chain ip6 kube-proxy nat-output
delete chain ip6 kube-proxy nat-output
add chain ip6 kube-proxy nat-postrouting
delete chain ip6 kube-proxy nat-postrouting
add chain ip6 kube-proxy filter-prerouting-pre-dnat { type filter hook prerouting priority -110 ; }
flush chain ip6 kube-proxy filter-prerouting-pre-dnat
add chain ip6 kube-proxy filter-output-pre-dnat { type filter hook output priority -110 ; }
flush chain ip6 kube-proxy filter-output-pre-dnat
add chain ip6 kube-proxy filter-input { type filter hook input priority 0 ; }
flush chain ip6 kube-proxy filter-input
add chain ip6 kube-proxy filter-forward { type filter hook forward priority 0 ; }
flush chain ip6 kube-proxy filter-forward
add chain ip6 kube-proxy filter-output { type filter hook output priority 0 ; }
flush chain ip6 kube-proxy filter-output
add chain ip6 kube-proxy nat-prerouting { type nat hook prerouting priority -100 ; }
flush chain ip6 kube-proxy nat-prerouting
add chain ip6 kube-proxy nat-output { type nat hook output priority -100 ; }
flush chain ip6 kube-proxy nat-output
add chain ip6 kube-proxy nat-postrouting { type nat hook postrouting priority 100 ; }
flush chain ip6 kube-proxy nat-postrouting
add chain ip6 kube-proxy nodeport-endpoints-check
flush chain ip6 kube-proxy nodeport-endpoints-check
add rule ip6 kube-proxy filter-input ct state new jump nodeport-endpoints-check
add chain ip6 kube-proxy service-endpoints-check
flush chain ip6 kube-proxy service-endpoints-check
add rule ip6 kube-proxy filter-input ct state new jump service-endpoints-check
add rule ip6 kube-proxy filter-forward ct state new jump service-endpoints-check
add rule ip6 kube-proxy filter-output ct state new jump service-endpoints-check
add chain ip6 kube-proxy firewall-check
flush chain ip6 kube-proxy firewall-check
add rule ip6 kube-proxy filter-prerouting-pre-dnat ct state new jump firewall-check
add rule ip6 kube-proxy filter-output-pre-dnat ct state new jump firewall-check
add chain ip6 kube-proxy services
flush chain ip6 kube-proxy services
add rule ip6 kube-proxy nat-output jump services
add rule ip6 kube-proxy nat-prerouting jump services
add chain ip6 kube-proxy masquerading
flush chain ip6 kube-proxy masquerading
add rule ip6 kube-proxy nat-postrouting jump masquerading
add chain ip6 kube-proxy cluster-ips-check
flush chain ip6 kube-proxy cluster-ips-check
add rule ip6 kube-proxy filter-forward ct state new jump cluster-ips-check
add rule ip6 kube-proxy filter-output ct state new jump cluster-ips-check
add chain ip6 kube-proxy mark-for-masquerade
flush chain ip6 kube-proxy mark-for-masquerade
add rule ip6 kube-proxy mark-for-masquerade mark set mark or 0x00004000
add rule ip6 kube-proxy masquerading mark and 0x00004000 == 0 return
add rule ip6 kube-proxy masquerading mark set mark xor 0x00004000
add rule ip6 kube-proxy masquerading masquerade fully-random
add set ip6 kube-proxy cluster-ips { type ipv6_addr ; comment "Active ClusterIPs" ; }
add rule ip6 kube-proxy cluster-ips-check ip6 daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"
add rule ip6 kube-proxy cluster-ips-check ip6 daddr { fd00:96::/112 } drop comment "Drop traffic to unallocated ClusterIPs"
add set ip6 kube-proxy nodeport-ips { type ipv6_addr ; comment "IPs that accept NodePort traffic" ; }
flush set ip6 kube-proxy nodeport-ips
add element ip6 kube-proxy nodeport-ips { 2001:db8::1 }
add map ip6 kube-proxy no-endpoint-services { type ipv6_addr . inet_proto . inet_service : verdict ; comment "vmap to drop or reject packets to services with no endpoints" ; }
add map ip6 kube-proxy no-endpoint-nodeports { type inet_proto . inet_service : verdict ; comment "vmap to drop or reject packets to service nodeports with no endpoints" ; }
add chain ip6 kube-proxy reject-chain { comment "helper for @no-endpoint-services / @no-endpoint-nodeports" ; }
flush chain ip6 kube-proxy reject-chain
add rule ip6 kube-proxy reject-chain reject
add rule ip6 kube-proxy service-endpoints-check ip6 daddr . meta l4proto . th dport vmap @no-endpoint-services
add rule ip6 kube-proxy nodeport-endpoints-check ip6 daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
add map ip6 kube-proxy firewall-ips { type ipv6_addr . inet_proto . inet_service : verdict ; comment "destinations that are subject to LoadBalancerSourceRanges" ; }
add rule ip6 kube-proxy firewall-check ip6 daddr . meta l4proto . th dport vmap @firewall-ips
add map ip6 kube-proxy service-ips { type ipv6_addr . inet_proto . inet_service : verdict ; comment "ClusterIP, ExternalIP and LoadBalancer IP traffic" ; }
add map ip6 kube-proxy service-nodeports { type inet_proto . inet_service : verdict ; comment "NodePort traffic" ; }
add rule ip6 kube-proxy services ip6 daddr . meta l4proto . th dport vmap @service-ips
add rule ip6 kube-proxy services ip6 daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
add chain ip6 kube-proxy endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080
flush chain ip6 kube-proxy endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080
add chain ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
add chain ip6 kube-proxy endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080
flush chain ip6 kube-proxy endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080
add chain ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main
flush chain ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main
add element ip6 kube-proxy cluster-ips { fd00:96::5 }
add element ip6 kube-proxy service-ips { fd00:96::5 . tcp . 80 : goto service-G3MHXWYD-default/s5/tcp/main }
add rule ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main ip6 daddr fd00:96::5 ip6 saddr != fd00:244::/32 jump mark-for-masquerade
add set ip6 kube-proxy affinity-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 { type ipv6_addr ; flags dynamic,timeout ; timeout 10800s ; }
add set ip6 kube-proxy affinity-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080 { type ipv6_addr ; flags dynamic,timeout ; timeout 10800s ; }
add set ip6 kube-proxy affinity-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 { type ipv6_addr ; flags dynamic,timeout ; timeout 10800s ; }
add rule ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main ip6 saddr @affinity-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 goto endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080
add rule ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main ip6 saddr @affinity-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080 goto endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
add rule ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main ip6 saddr @affinity-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 goto endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080
add rule ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main numgen random mod 3 vmap { 0 : goto endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 , 1 : goto endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080 , 2 : goto endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 }
add rule ip6 kube-proxy endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 ip6 saddr fd00:244:1::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 update @affinity-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 { ip6 saddr }
add rule ip6 kube-proxy endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 meta l4proto tcp dnat to [fd00:244:1::2]:8080
add rule ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080 ip6 saddr fd00:244:1::3 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080 update @affinity-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080 { ip6 saddr }
add rule ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080 meta l4proto tcp dnat to [fd00:244:1::3]:8080
add rule ip6 kube-proxy endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 ip6 saddr fd00:244:2::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 update @affinity-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 { ip6 saddr }
add rule ip6 kube-proxy endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 meta l4proto tcp dnat to [fd00:244:2::2]:8080
add chain ip6 kube-proxy endpoint-IO2TOI4O-default/s6/udp/main__fd00.244.1..2/5353
flush chain ip6 kube-proxy endpoint-IO2TOI4O-default/s6/udp/main__fd00.244.1..2/5353
add chain ip6 kube-proxy endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353
flush chain ip6 kube-proxy endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353
add chain ip6 kube-proxy endpoint-SRZZAHKY-default/s6/udp/main__fd00.244.2..2/5353
flush chain ip6 kube-proxy endpoint-SRZZAHKY-default/s6/udp/main__fd00.244.2..2/5353
add chain ip6 kube-proxy service-6OPDLA6V-default/s6/udp/main
flush chain ip6 kube-proxy service-6OPDLA6V-default/s6/udp/main
add element ip6 kube-proxy cluster-ips { fd00:96::6 }
add element ip6 kube-proxy service-ips { fd00:96::6 . udp . 80 : goto service-6OPDLA6V-default/s6/udp/main }
add rule ip6 kube-proxy service-6OPDLA6V-default/s6/udp/main ip6 daddr fd00:96::6 ip6 saddr != fd00:244::/32 jump mark-for-masquerade
add rule ip6 kube-proxy service-6OPDLA6V-default/s6/udp/main numgen random mod 3 vmap { 0 : goto endpoint-IO2TOI4O-default/s6/udp/main__fd00.244.1..2/5353 , 1 : goto endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353 , 2 : goto endpoint-SRZZAHKY-default/s6/udp/main__fd00.244.2..2/5353 }
add rule ip6 kube-proxy endpoint-IO2TOI4O-default/s6/udp/main__fd00.244.1..2/5353 ip6 saddr fd00:244:1::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-IO2TOI4O-default/s6/udp/main__fd00.244.1..2/5353 meta l4proto udp dnat to [fd00:244:1::2]:5353
add rule ip6 kube-proxy endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353 ip6 saddr fd00:244:1::3 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353 meta l4proto udp dnat to [fd00:244:1::3]:5353
add rule ip6 kube-proxy endpoint-SRZZAHKY-default/s6/udp/main__fd00.244.2..2/5353 ip6 saddr fd00:244:2::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-SRZZAHKY-default/s6/udp/main__fd00.244.2..2/5353 meta l4proto udp dnat to [fd00:244:2::2]:5353
add chain ip6 kube-proxy endpoint-2QLPTBFZ-default/s1/tcp/main__fd00.244.1..2/8080
flush chain ip6 kube-proxy endpoint-2QLPTBFZ-default/s1/tcp/main__fd00.244.1..2/8080
add chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
add chain ip6 kube-proxy endpoint-KVMBBC7Q-default/s1/tcp/main__fd00.244.2..2/8080
flush chain ip6 kube-proxy endpoint-KVMBBC7Q-default/s1/tcp/main__fd00.244.2..2/8080
add chain ip6 kube-proxy service-ZLQZIINO-default/s1/tcp/main
flush chain ip6 kube-proxy service-ZLQZIINO-default/s1/tcp/main
add element ip6 kube-proxy cluster-ips { fd00:96::1 }
add element ip6 kube-proxy service-ips { fd00:96::1 . tcp . 80 : goto service-ZLQZIINO-default/s1/tcp/main }
add rule ip6 kube-proxy service-ZLQZIINO-default/s1/tcp/main ip6 daddr fd00:96::1 ip6 saddr != fd00:244::/32 jump mark-for-masquerade
add rule ip6 kube-proxy service-ZLQZIINO-default/s1/tcp/main numgen random mod 3 vmap { 0 : goto endpoint-2QLPTBFZ-default/s1/tcp/main__fd00.244.1..2/8080 , 1 : goto endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080 , 2 : goto endpoint-KVMBBC7Q-default/s1/tcp/main__fd00.244.2..2/8080 }
add rule ip6 kube-proxy endpoint-2QLPTBFZ-default/s1/tcp/main__fd00.244.1..2/8080 ip6 saddr fd00:244:1::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-2QLPTBFZ-default/s1/tcp/main__fd00.244.1..2/8080 meta l4proto tcp dnat to [fd00:244:1::2]:8080
add rule ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080 ip6 saddr fd00:244:1::3 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080 meta l4proto tcp dnat to [fd00:244:1::3]:8080
add rule ip6 kube-proxy endpoint-KVMBBC7Q-default/s1/tcp/main__fd00.244.2..2/8080 ip6 saddr fd00:244:2::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-KVMBBC7Q-default/s1/tcp/main__fd00.244.2..2/8080 meta l4proto tcp dnat to [fd00:244:2::2]:8080
add chain ip6 kube-proxy endpoint-QMS2OLZV-default/s2/tcp/main__fd00.244.1..2/8080
flush chain ip6 kube-proxy endpoint-QMS2OLZV-default/s2/tcp/main__fd00.244.1..2/8080
add chain ip6 kube-proxy endpoint-2DF7NKCJ-default/s2/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-2DF7NKCJ-default/s2/tcp/main__fd00.244.1..3/8080
add chain ip6 kube-proxy endpoint-ZZ5A4TBN-default/s2/tcp/main__fd00.244.2..2/8080
flush chain ip6 kube-proxy endpoint-ZZ5A4TBN-default/s2/tcp/main__fd00.244.2..2/8080
add chain ip6 kube-proxy service-JZCSPIGH-default/s2/tcp/main
flush chain ip6 kube-proxy service-JZCSPIGH-default/s2/tcp/main
add chain ip6 kube-proxy external-JZCSPIGH-default/s2/tcp/main
flush chain ip6 kube-proxy external-JZCSPIGH-default/s2/tcp/main
add element ip6 kube-proxy cluster-ips { fd00:96::2 }
add element ip6 kube-proxy service-ips { fd00:96::2 . tcp . 80 : goto service-JZCSPIGH-default/s2/tcp/main }
add element ip6 kube-proxy service-nodeports { tcp . 30002 : goto external-JZCSPIGH-default/s2/tcp/main }
add rule ip6 kube-proxy service-JZCSPIGH-default/s2/tcp/main ip6 daddr fd00:96::2 ip6 saddr != fd00:244::/32 jump mark-for-masquerade
add rule ip6 kube-proxy external-JZCSPIGH-default/s2/tcp/main jump mark-for-masquerade
add rule ip6 kube-proxy external-JZCSPIGH-default/s2/tcp/main goto service-JZCSPIGH-default/s2/tcp/main
add rule ip6 kube-proxy service-JZCSPIGH-default/s2/tcp/main numgen random mod 3 vmap { 0 : goto endpoint-QMS2OLZV-default/s2/tcp/main__fd00.244.1..2/8080 , 1 : goto endpoint-2DF7NKCJ-default/s2/tcp/main__fd00.244.1..3/8080 , 2 : goto endpoint-ZZ5A4TBN-default/s2/tcp/main__fd00.244.2..2/8080 }
add rule ip6 kube-proxy endpoint-QMS2OLZV-default/s2/tcp/main__fd00.244.1..2/8080 ip6 saddr fd00:244:1::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-QMS2OLZV-default/s2/tcp/main__fd00.244.1..2/8080 meta l4proto tcp dnat to [fd00:244:1::2]:8080
add rule ip6 kube-proxy endpoint-2DF7NKCJ-default/s2/tcp/main__fd00.244.1..3/8080 ip6 saddr fd00:244:1::3 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-2DF7NKCJ-default/s2/tcp/main__fd00.244.1..3/8080 meta l4proto tcp dnat to [fd00:244:1::3]:8080
add rule ip6 kube-proxy endpoint-ZZ5A4TBN-default/s2/tcp/main__fd00.244.2..2/8080 ip6 saddr fd00:244:2::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-ZZ5A4TBN-default/s2/tcp/main__fd00.244.2..2/8080 meta l4proto tcp dnat to [fd00:244:2::2]:8080
add chain ip6 kube-proxy endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080
flush chain ip6 kube-proxy endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080
add chain ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080
add chain ip6 kube-proxy endpoint-UQFEWSTX-default/s3/tcp/main__fd00.244.2..2/8080
flush chain ip6 kube-proxy endpoint-UQFEWSTX-default/s3/tcp/main__fd00.244.2..2/8080
add chain ip6 kube-proxy service-OCP2RDLK-default/s3/tcp/main
flush chain ip6 kube-proxy service-OCP2RDLK-default/s3/tcp/main
add chain ip6 kube-proxy local-OCP2RDLK-default/s3/tcp/main
flush chain ip6 kube-proxy local-OCP2RDLK-default/s3/tcp/main
add chain ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main
flush chain ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main
add element ip6 kube-proxy cluster-ips { fd00:96::3 }
add element ip6 kube-proxy service-ips { fd00:96::3 . tcp . 80 : goto service-OCP2RDLK-default/s3/tcp/main }
add chain ip6 kube-proxy firewall-OCP2RDLK-default/s3/tcp/main
flush chain ip6 kube-proxy firewall-OCP2RDLK-default/s3/tcp/main
add element ip6 kube-proxy service-ips { 2001:db8:113::3 . tcp . 80 : goto external-OCP2RDLK-default/s3/tcp/main }
add element ip6 kube-proxy firewall-ips { 2001:db8:113::3 . tcp . 80 : goto firewall-OCP2RDLK-default/s3/tcp/main }
add element ip6 kube-proxy service-nodeports { tcp . 30003 : goto external-OCP2RDLK-default/s3/tcp/main }
add rule ip6 kube-proxy service-OCP2RDLK-default/s3/tcp/main ip6 daddr fd00:96::3 ip6 saddr != fd00:244::/32 jump mark-for-masquerade
add rule ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main ip6 saddr fd00:244::/32 goto service-OCP2RDLK-default/s3/tcp/main comment "short-circuit pod traffic"
add rule ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"
add rule ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main fib saddr type local goto service-OCP2RDLK-default/s3/tcp/main comment "short-circuit local traffic"
add rule ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main goto local-OCP2RDLK-default/s3/tcp/main
add rule ip6 kube-proxy firewall-OCP2RDLK-default/s3/tcp/main ip6 saddr != { 2001:db8::8/125 } drop
add rule ip6 kube-proxy service-OCP2RDLK-default/s3/tcp/main numgen random mod 3 vmap { 0 : goto endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080 , 1 : goto endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080 , 2 : goto endpoint-UQFEWSTX-default/s3/tcp/main__fd00.244.2..2/8080 }
add rule ip6 kube-proxy local-OCP2RDLK-default/s3/tcp/main numgen random mod 2 vmap { 0 : goto endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080 , 1 : goto endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080 }
add rule ip6 kube-proxy endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080 ip6 saddr fd00:244:1::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080 meta l4proto tcp dnat to [fd00:244:1::2]:8080
add rule ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080 ip6 saddr fd00:244:1::3 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080 meta l4proto tcp dnat to [fd00:244:1::3]:8080
add rule ip6 kube-proxy endpoint-UQFEWSTX-default/s3/tcp/main__fd00.244.2..2/8080 ip6 saddr fd00:244:2::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-UQFEWSTX-default/s3/tcp/main__fd00.244.2..2/8080 meta l4proto tcp dnat to [fd00:244:2::2]:8080
add element ip6 kube-proxy cluster-ips { fd00:96::4 }
add element ip6 kube-proxy no-endpoint-services { fd00:96::4 . tcp . 80 comment "default/s4:main" : goto reject-chain }
END
# What it runs when what it is told changes.
nft -f - <<'END'
add chain ip kube-proxy endpoint-LRNBXFDI-default/s1/tcp/main__10.244.1.2/8080
flush chain ip kube-proxy endpoint-LRNBXFDI-default/s1/tcp/main__10.244.1.2/8080
add chain ip kube-proxy endpoint-55CWOZYW-default/s1/tcp/main__10.244.2.2/8080
flush chain ip kube-proxy endpoint-55CWOZYW-default/s1/tcp/main__10.244.2.2/8080
add chain ip kube-proxy service-ZLQZIINO-default/s1/tcp/main
flush chain ip kube-proxy service-ZLQZIINO-default/s1/tcp/main
add rule ip kube-proxy service-ZLQZIINO-default/s1/tcp/main ip daddr 10.96.0.1 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
add rule ip kube-proxy service-ZLQZIINO-default/s1/tcp/main numgen random mod 2 vmap { 0 : goto endpoint-LRNBXFDI-default/s1/tcp/main__10.244.1.2/8080 , 1 : goto endpoint-55CWOZYW-default/s1/tcp/main__10.244.2.2/8080 }
add rule ip kube-proxy endpoint-LRNBXFDI-default/s1/tcp/main__10.244.1.2/8080 ip saddr 10.244.1.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-LRNBXFDI-default/s1/tcp/main__10.244.1.2/8080 meta l4proto tcp dnat to 10.244.1.2:8080
add rule ip kube-proxy endpoint-55CWOZYW-default/s1/tcp/main__10.244.2.2/8080 ip saddr 10.244.2.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-55CWOZYW-default/s1/tcp/main__10.244.2.2/8080 meta l4proto tcp dnat to 10.244.2.2:8080
flush chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
END
nft -f - <<'END'
add chain ip kube-proxy endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080
flush chain ip kube-proxy endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080
add chain ip kube-proxy endpoint-T6TIHO7D-default/s3/tcp/main__10.244.2.2/8080
flush chain ip kube-proxy endpoint-T6TIHO7D-default/s3/tcp/main__10.244.2.2/8080
add chain ip kube-proxy service-OCP2RDLK-default/s3/tcp/main
flush chain ip kube-proxy service-OCP2RDLK-default/s3/tcp/main
add chain ip kube-proxy local-OCP2RDLK-default/s3/tcp/main
flush chain ip kube-proxy local-OCP2RDLK-default/s3/tcp/main
add chain ip kube-proxy external-OCP2RDLK-default/s3/tcp/main
flush chain ip kube-proxy external-OCP2RDLK-default/s3/tcp/main
add chain ip kube-proxy firewall-OCP2RDLK-default/s3/tcp/main
flush chain ip kube-proxy firewall-OCP2RDLK-default/s3/tcp/main
add rule ip kube-proxy service-OCP2RDLK-default/s3/tcp/main ip daddr 10.96.0.3 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
add rule ip kube-proxy external-OCP2RDLK-default/s3/tcp/main ip saddr 10.244.0.0/16 goto service-OCP2RDLK-default/s3/tcp/main comment "short-circuit pod traffic"
add rule ip kube-proxy external-OCP2RDLK-default/s3/tcp/main fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"
add rule ip kube-proxy external-OCP2RDLK-default/s3/tcp/main fib saddr type local goto service-OCP2RDLK-default/s3/tcp/main comment "short-circuit local traffic"
add rule ip kube-proxy external-OCP2RDLK-default/s3/tcp/main goto local-OCP2RDLK-default/s3/tcp/main
add rule ip kube-proxy firewall-OCP2RDLK-default/s3/tcp/main ip saddr != { 192.0.2.8/29 } drop
add rule ip kube-proxy service-OCP2RDLK-default/s3/tcp/main numgen random mod 2 vmap { 0 : goto endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080 , 1 : goto endpoint-T6TIHO7D-default/s3/tcp/main__10.244.2.2/8080 }
add rule ip kube-proxy local-OCP2RDLK-default/s3/tcp/main numgen random mod 1 vmap { 0 : goto endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080 }
add rule ip kube-proxy endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080 ip saddr 10.244.1.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-IVELMUQS-default/s3/tcp/main__10.244.1.2/8080 meta l4proto tcp dnat to 10.244.1.2:8080
add rule ip kube-proxy endpoint-T6TIHO7D-default/s3/tcp/main__10.244.2.2/8080 ip saddr 10.244.2.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-T6TIHO7D-default/s3/tcp/main__10.244.2.2/8080 meta l4proto tcp dnat to 10.244.2.2:8080
flush chain ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
END
nft -f - <<'END'
add chain ip kube-proxy endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080
flush chain ip kube-proxy endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080
add chain ip kube-proxy endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080
flush chain ip kube-proxy endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080
add chain ip kube-proxy service-G3MHXWYD-default/s5/tcp/main
flush chain ip kube-proxy service-G3MHXWYD-default/s5/tcp/main
add rule ip kube-proxy service-G3MHXWYD-default/s5/tcp/main ip daddr 10.96.0.5 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
add set ip kube-proxy affinity-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 { type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }
add set ip kube-proxy affinity-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 { type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }
add rule ip kube-proxy service-G3MHXWYD-default/s5/tcp/main ip saddr @affinity-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 goto endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080
add rule ip kube-proxy service-G3MHXWYD-default/s5/tcp/main ip saddr @affinity-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 goto endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080
add rule ip kube-proxy service-G3MHXWYD-default/s5/tcp/main numgen random mod 2 vmap { 0 : goto endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 , 1 : goto endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 }
add rule ip kube-proxy endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 ip saddr 10.244.1.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 update @affinity-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 { ip saddr }
add rule ip kube-proxy endpoint-DHKNGXWT-default/s5/tcp/main__10.244.1.2/8080 meta l4proto tcp dnat to 10.244.1.2:8080
add rule ip kube-proxy endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 ip saddr 10.244.2.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 update @affinity-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 { ip saddr }
add rule ip kube-proxy endpoint-ETXQCGGF-default/s5/tcp/main__10.244.2.2/8080 meta l4proto tcp dnat to 10.244.2.2:8080
flush chain ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
delete set ip kube-proxy affinity-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
END
nft -f - <<'END'
add chain ip kube-proxy endpoint-MKVWLZWO-default/s6/udp/main__10.244.1.2/5353
flush chain ip kube-proxy endpoint-MKVWLZWO-default/s6/udp/main__10.244.1.2/5353
add chain ip kube-proxy endpoint-J52ZIT3B-default/s6/udp/main__10.244.2.2/5353
flush chain ip kube-proxy endpoint-J52ZIT3B-default/s6/udp/main__10.244.2.2/5353
add chain ip kube-proxy service-6OPDLA6V-default/s6/udp/main
flush chain ip kube-proxy service-6OPDLA6V-default/s6/udp/main
add rule ip kube-proxy service-6OPDLA6V-default/s6/udp/main ip daddr 10.96.0.6 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
add rule ip kube-proxy service-6OPDLA6V-default/s6/udp/main numgen random mod 2 vmap { 0 : goto endpoint-MKVWLZWO-default/s6/udp/main__10.244.1.2/5353 , 1 : goto endpoint-J52ZIT3B-default/s6/udp/main__10.244.2.2/5353 }
add rule ip kube-proxy endpoint-MKVWLZWO-default/s6/udp/main__10.244.1.2/5353 ip saddr 10.244.1.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-MKVWLZWO-default/s6/udp/main__10.244.1.2/5353 meta l4proto udp dnat to 10.244.1.2:5353
add rule ip kube-proxy endpoint-J52ZIT3B-default/s6/udp/main__10.244.2.2/5353 ip saddr 10.244.2.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-J52ZIT3B-default/s6/udp/main__10.244.2.2/5353 meta l4proto udp dnat to 10.244.2.2:5353
flush chain ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353
END
nft -f - <<'END'
add element ip kube-proxy cluster-ips { 10.96.0.7 }
add element ip kube-proxy no-endpoint-services { 10.96.0.7 . tcp . 80 comment "default/s7:main" : goto reject-chain }
flush chain ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353
flush chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
END
nft -f - <<'END'
add chain ip kube-proxy endpoint-Z45XJWFJ-default/s7/tcp/main__10.244.1.2/8080
flush chain ip kube-proxy endpoint-Z45XJWFJ-default/s7/tcp/main__10.244.1.2/8080
add chain ip kube-proxy endpoint-H6W4CV37-default/s7/tcp/main__10.244.2.2/8080
flush chain ip kube-proxy endpoint-H6W4CV37-default/s7/tcp/main__10.244.2.2/8080
add chain ip kube-proxy service-JQ72KGOG-default/s7/tcp/main
flush chain ip kube-proxy service-JQ72KGOG-default/s7/tcp/main
add element ip kube-proxy service-ips { 10.96.0.7 . tcp . 80 : goto service-JQ72KGOG-default/s7/tcp/main }
add rule ip kube-proxy service-JQ72KGOG-default/s7/tcp/main ip daddr 10.96.0.7 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
add rule ip kube-proxy service-JQ72KGOG-default/s7/tcp/main numgen random mod 2 vmap { 0 : goto endpoint-Z45XJWFJ-default/s7/tcp/main__10.244.1.2/8080 , 1 : goto endpoint-H6W4CV37-default/s7/tcp/main__10.244.2.2/8080 }
add rule ip kube-proxy endpoint-Z45XJWFJ-default/s7/tcp/main__10.244.1.2/8080 ip saddr 10.244.1.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-Z45XJWFJ-default/s7/tcp/main__10.244.1.2/8080 meta l4proto tcp dnat to 10.244.1.2:8080
add rule ip kube-proxy endpoint-H6W4CV37-default/s7/tcp/main__10.244.2.2/8080 ip saddr 10.244.2.2 jump mark-for-masquerade
add rule ip kube-proxy endpoint-H6W4CV37-default/s7/tcp/main__10.244.2.2/8080 meta l4proto tcp dnat to 10.244.2.2:8080
flush chain ip kube-proxy endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353
flush chain ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
delete element ip kube-proxy no-endpoint-services { 10.96.0.7 . tcp . 80 }
END
nft -f - <<'END'
flush chain ip kube-proxy endpoint-SKJBL6DO-default/s2/tcp/main__10.244.2.2/8080
flush chain ip kube-proxy external-JZCSPIGH-default/s2/tcp/main
flush chain ip kube-proxy endpoint-2CDIAERC-default/s2/tcp/main__10.244.1.2/8080
flush chain ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353
flush chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-2EH7P6BI-default/s2/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy service-JZCSPIGH-default/s2/tcp/main
delete element ip kube-proxy cluster-ips { 10.96.0.2 }
delete element ip kube-proxy service-ips { 10.96.0.2 . tcp . 80 }
delete element ip kube-proxy service-nodeports { tcp . 30002 }
END
nft -f - <<'END'
flush chain ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353
flush chain ip kube-proxy endpoint-2EH7P6BI-default/s2/tcp/main__10.244.1.3/8080
flush chain ip kube-proxy endpoint-SKJBL6DO-default/s2/tcp/main__10.244.2.2/8080
flush chain ip kube-proxy external-JZCSPIGH-default/s2/tcp/main
flush chain ip kube-proxy service-JZCSPIGH-default/s2/tcp/main
flush chain ip kube-proxy endpoint-2CDIAERC-default/s2/tcp/main__10.244.1.2/8080
END
nft -f - <<'END'
delete chain ip kube-proxy external-JZCSPIGH-default/s2/tcp/main
delete chain ip kube-proxy endpoint-2EH7P6BI-default/s2/tcp/main__10.244.1.3/8080
delete chain ip kube-proxy endpoint-W2KTD26R-default/s1/tcp/main__10.244.1.3/8080
delete chain ip kube-proxy endpoint-C4L7QIOE-default/s3/tcp/main__10.244.1.3/8080
delete chain ip kube-proxy endpoint-BDNHNS6K-default/s6/udp/main__10.244.1.3/5353
delete chain ip kube-proxy endpoint-2CDIAERC-default/s2/tcp/main__10.244.1.2/8080
delete chain ip kube-proxy service-JZCSPIGH-default/s2/tcp/main
delete chain ip kube-proxy endpoint-HTT6QJCY-default/s5/tcp/main__10.244.1.3/8080
delete chain ip kube-proxy endpoint-SKJBL6DO-default/s2/tcp/main__10.244.2.2/8080
END
nft -f - <<'END'
END
nft -f - <<'END'
add chain ip6 kube-proxy endpoint-2QLPTBFZ-default/s1/tcp/main__fd00.244.1..2/8080
flush chain ip6 kube-proxy endpoint-2QLPTBFZ-default/s1/tcp/main__fd00.244.1..2/8080
add chain ip6 kube-proxy endpoint-KVMBBC7Q-default/s1/tcp/main__fd00.244.2..2/8080
flush chain ip6 kube-proxy endpoint-KVMBBC7Q-default/s1/tcp/main__fd00.244.2..2/8080
add chain ip6 kube-proxy service-ZLQZIINO-default/s1/tcp/main
flush chain ip6 kube-proxy service-ZLQZIINO-default/s1/tcp/main
add rule ip6 kube-proxy service-ZLQZIINO-default/s1/tcp/main ip6 daddr fd00:96::1 ip6 saddr != fd00:244::/32 jump mark-for-masquerade
add rule ip6 kube-proxy service-ZLQZIINO-default/s1/tcp/main numgen random mod 2 vmap { 0 : goto endpoint-2QLPTBFZ-default/s1/tcp/main__fd00.244.1..2/8080 , 1 : goto endpoint-KVMBBC7Q-default/s1/tcp/main__fd00.244.2..2/8080 }
add rule ip6 kube-proxy endpoint-2QLPTBFZ-default/s1/tcp/main__fd00.244.1..2/8080 ip6 saddr fd00:244:1::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-2QLPTBFZ-default/s1/tcp/main__fd00.244.1..2/8080 meta l4proto tcp dnat to [fd00:244:1::2]:8080
add rule ip6 kube-proxy endpoint-KVMBBC7Q-default/s1/tcp/main__fd00.244.2..2/8080 ip6 saddr fd00:244:2::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-KVMBBC7Q-default/s1/tcp/main__fd00.244.2..2/8080 meta l4proto tcp dnat to [fd00:244:2::2]:8080
flush chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
END
nft -f - <<'END'
add chain ip6 kube-proxy endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080
flush chain ip6 kube-proxy endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080
add chain ip6 kube-proxy endpoint-UQFEWSTX-default/s3/tcp/main__fd00.244.2..2/8080
flush chain ip6 kube-proxy endpoint-UQFEWSTX-default/s3/tcp/main__fd00.244.2..2/8080
add chain ip6 kube-proxy service-OCP2RDLK-default/s3/tcp/main
flush chain ip6 kube-proxy service-OCP2RDLK-default/s3/tcp/main
add chain ip6 kube-proxy local-OCP2RDLK-default/s3/tcp/main
flush chain ip6 kube-proxy local-OCP2RDLK-default/s3/tcp/main
add chain ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main
flush chain ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main
add chain ip6 kube-proxy firewall-OCP2RDLK-default/s3/tcp/main
flush chain ip6 kube-proxy firewall-OCP2RDLK-default/s3/tcp/main
add rule ip6 kube-proxy service-OCP2RDLK-default/s3/tcp/main ip6 daddr fd00:96::3 ip6 saddr != fd00:244::/32 jump mark-for-masquerade
add rule ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main ip6 saddr fd00:244::/32 goto service-OCP2RDLK-default/s3/tcp/main comment "short-circuit pod traffic"
add rule ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"
add rule ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main fib saddr type local goto service-OCP2RDLK-default/s3/tcp/main comment "short-circuit local traffic"
add rule ip6 kube-proxy external-OCP2RDLK-default/s3/tcp/main goto local-OCP2RDLK-default/s3/tcp/main
add rule ip6 kube-proxy firewall-OCP2RDLK-default/s3/tcp/main ip6 saddr != { 2001:db8::8/125 } drop
add rule ip6 kube-proxy service-OCP2RDLK-default/s3/tcp/main numgen random mod 2 vmap { 0 : goto endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080 , 1 : goto endpoint-UQFEWSTX-default/s3/tcp/main__fd00.244.2..2/8080 }
add rule ip6 kube-proxy local-OCP2RDLK-default/s3/tcp/main numgen random mod 1 vmap { 0 : goto endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080 }
add rule ip6 kube-proxy endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080 ip6 saddr fd00:244:1::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-DELCY3MR-default/s3/tcp/main__fd00.244.1..2/8080 meta l4proto tcp dnat to [fd00:244:1::2]:8080
add rule ip6 kube-proxy endpoint-UQFEWSTX-default/s3/tcp/main__fd00.244.2..2/8080 ip6 saddr fd00:244:2::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-UQFEWSTX-default/s3/tcp/main__fd00.244.2..2/8080 meta l4proto tcp dnat to [fd00:244:2::2]:8080
flush chain ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
END
nft -f - <<'END'
add chain ip6 kube-proxy endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080
flush chain ip6 kube-proxy endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080
add chain ip6 kube-proxy endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080
flush chain ip6 kube-proxy endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080
add chain ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main
flush chain ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main
add rule ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main ip6 daddr fd00:96::5 ip6 saddr != fd00:244::/32 jump mark-for-masquerade
add set ip6 kube-proxy affinity-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 { type ipv6_addr ; flags dynamic,timeout ; timeout 10800s ; }
add set ip6 kube-proxy affinity-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 { type ipv6_addr ; flags dynamic,timeout ; timeout 10800s ; }
add rule ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main ip6 saddr @affinity-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 goto endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080
add rule ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main ip6 saddr @affinity-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 goto endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080
add rule ip6 kube-proxy service-G3MHXWYD-default/s5/tcp/main numgen random mod 2 vmap { 0 : goto endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 , 1 : goto endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 }
add rule ip6 kube-proxy endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 ip6 saddr fd00:244:1::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 update @affinity-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 { ip6 saddr }
add rule ip6 kube-proxy endpoint-E3G23XIG-default/s5/tcp/main__fd00.244.1..2/8080 meta l4proto tcp dnat to [fd00:244:1::2]:8080
add rule ip6 kube-proxy endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 ip6 saddr fd00:244:2::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 update @affinity-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 { ip6 saddr }
add rule ip6 kube-proxy endpoint-ORXWLFHD-default/s5/tcp/main__fd00.244.2..2/8080 meta l4proto tcp dnat to [fd00:244:2::2]:8080
flush chain ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080
delete set ip6 kube-proxy affinity-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
END
nft -f - <<'END'
add chain ip6 kube-proxy endpoint-IO2TOI4O-default/s6/udp/main__fd00.244.1..2/5353
flush chain ip6 kube-proxy endpoint-IO2TOI4O-default/s6/udp/main__fd00.244.1..2/5353
add chain ip6 kube-proxy endpoint-SRZZAHKY-default/s6/udp/main__fd00.244.2..2/5353
flush chain ip6 kube-proxy endpoint-SRZZAHKY-default/s6/udp/main__fd00.244.2..2/5353
add chain ip6 kube-proxy service-6OPDLA6V-default/s6/udp/main
flush chain ip6 kube-proxy service-6OPDLA6V-default/s6/udp/main
add rule ip6 kube-proxy service-6OPDLA6V-default/s6/udp/main ip6 daddr fd00:96::6 ip6 saddr != fd00:244::/32 jump mark-for-masquerade
add rule ip6 kube-proxy service-6OPDLA6V-default/s6/udp/main numgen random mod 2 vmap { 0 : goto endpoint-IO2TOI4O-default/s6/udp/main__fd00.244.1..2/5353 , 1 : goto endpoint-SRZZAHKY-default/s6/udp/main__fd00.244.2..2/5353 }
add rule ip6 kube-proxy endpoint-IO2TOI4O-default/s6/udp/main__fd00.244.1..2/5353 ip6 saddr fd00:244:1::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-IO2TOI4O-default/s6/udp/main__fd00.244.1..2/5353 meta l4proto udp dnat to [fd00:244:1::2]:5353
add rule ip6 kube-proxy endpoint-SRZZAHKY-default/s6/udp/main__fd00.244.2..2/5353 ip6 saddr fd00:244:2::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-SRZZAHKY-default/s6/udp/main__fd00.244.2..2/5353 meta l4proto udp dnat to [fd00:244:2::2]:5353
flush chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353
flush chain ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080
END
nft -f - <<'END'
add element ip6 kube-proxy cluster-ips { fd00:96::7 }
add element ip6 kube-proxy no-endpoint-services { fd00:96::7 . tcp . 80 comment "default/s7:main" : goto reject-chain }
flush chain ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353
flush chain ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
END
nft -f - <<'END'
add chain ip6 kube-proxy endpoint-HOEZ6KHX-default/s7/tcp/main__fd00.244.1..2/8080
flush chain ip6 kube-proxy endpoint-HOEZ6KHX-default/s7/tcp/main__fd00.244.1..2/8080
add chain ip6 kube-proxy endpoint-J647DDM6-default/s7/tcp/main__fd00.244.2..2/8080
flush chain ip6 kube-proxy endpoint-J647DDM6-default/s7/tcp/main__fd00.244.2..2/8080
add chain ip6 kube-proxy service-JQ72KGOG-default/s7/tcp/main
flush chain ip6 kube-proxy service-JQ72KGOG-default/s7/tcp/main
add element ip6 kube-proxy service-ips { fd00:96::7 . tcp . 80 : goto service-JQ72KGOG-default/s7/tcp/main }
add rule ip6 kube-proxy service-JQ72KGOG-default/s7/tcp/main ip6 daddr fd00:96::7 ip6 saddr != fd00:244::/32 jump mark-for-masquerade
add rule ip6 kube-proxy service-JQ72KGOG-default/s7/tcp/main numgen random mod 2 vmap { 0 : goto endpoint-HOEZ6KHX-default/s7/tcp/main__fd00.244.1..2/8080 , 1 : goto endpoint-J647DDM6-default/s7/tcp/main__fd00.244.2..2/8080 }
add rule ip6 kube-proxy endpoint-HOEZ6KHX-default/s7/tcp/main__fd00.244.1..2/8080 ip6 saddr fd00:244:1::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-HOEZ6KHX-default/s7/tcp/main__fd00.244.1..2/8080 meta l4proto tcp dnat to [fd00:244:1::2]:8080
add rule ip6 kube-proxy endpoint-J647DDM6-default/s7/tcp/main__fd00.244.2..2/8080 ip6 saddr fd00:244:2::2 jump mark-for-masquerade
add rule ip6 kube-proxy endpoint-J647DDM6-default/s7/tcp/main__fd00.244.2..2/8080 meta l4proto tcp dnat to [fd00:244:2::2]:8080
flush chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353
delete element ip6 kube-proxy no-endpoint-services { fd00:96::7 . tcp . 80 }
END
nft -f - <<'END'
flush chain ip6 kube-proxy service-JZCSPIGH-default/s2/tcp/main
flush chain ip6 kube-proxy endpoint-QMS2OLZV-default/s2/tcp/main__fd00.244.1..2/8080
flush chain ip6 kube-proxy endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353
flush chain ip6 kube-proxy endpoint-2DF7NKCJ-default/s2/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy external-JZCSPIGH-default/s2/tcp/main
flush chain ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-ZZ5A4TBN-default/s2/tcp/main__fd00.244.2..2/8080
delete element ip6 kube-proxy cluster-ips { fd00:96::2 }
delete element ip6 kube-proxy service-ips { fd00:96::2 . tcp . 80 }
delete element ip6 kube-proxy service-nodeports { tcp . 30002 }
END
nft -f - <<'END'
flush chain ip6 kube-proxy external-JZCSPIGH-default/s2/tcp/main
flush chain ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-2DF7NKCJ-default/s2/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353
flush chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy endpoint-QMS2OLZV-default/s2/tcp/main__fd00.244.1..2/8080
flush chain ip6 kube-proxy endpoint-ZZ5A4TBN-default/s2/tcp/main__fd00.244.2..2/8080
flush chain ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080
flush chain ip6 kube-proxy service-JZCSPIGH-default/s2/tcp/main
END
nft -f - <<'END'
delete chain ip6 kube-proxy endpoint-QMS2OLZV-default/s2/tcp/main__fd00.244.1..2/8080
delete chain ip6 kube-proxy endpoint-2DF7NKCJ-default/s2/tcp/main__fd00.244.1..3/8080
delete chain ip6 kube-proxy endpoint-BKNCKFOA-default/s3/tcp/main__fd00.244.1..3/8080
delete chain ip6 kube-proxy service-JZCSPIGH-default/s2/tcp/main
delete chain ip6 kube-proxy external-JZCSPIGH-default/s2/tcp/main
delete chain ip6 kube-proxy endpoint-ZZ5A4TBN-default/s2/tcp/main__fd00.244.2..2/8080
delete chain ip6 kube-proxy endpoint-DIAG7TZ6-default/s1/tcp/main__fd00.244.1..3/8080
delete chain ip6 kube-proxy endpoint-KV4YGFLG-default/s5/tcp/main__fd00.244.1..3/8080
delete chain ip6 kube-proxy endpoint-L5QLUEOI-default/s6/udp/main__fd00.244.1..3/5353
END
nft -f - <<'END'
END
