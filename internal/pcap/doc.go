// Package pcap reads the UDP datagrams of a packet capture, as tcpdump -w and
// Wireshark save them.
//
// # Format
//
// The classic libpcap file format: a header of 24 bytes in either byte order,
// with micro- or nanoseconds, then records of a 16-byte header and a frame
// (pcap-savefile(5)). Link types Ethernet (1), raw IP (101), Linux cooked (113)
// and Linux cooked v2 (276); VLAN tags are skipped.
//
// # Limits
//
// No pcapng, no IPv6, no reassembly of fragments. A frame is at most 256 KiB.
// Frames that are not whole UDP datagrams over IPv4 are passed over.
package pcap
