//! Offers as they are made, each in the style of somebody. `FINGERPRINT` is put in by `offered`.

/// OBS over libdatachannel: all of it bundled, streams announced, a payload type for each codec.
pub(super) const OBS: &str = "v=0\n\
o=rtc 3767197920 0 IN IP4 127.0.0.1\n\
s=-\n\
t=0 0\n\
a=group:BUNDLE 0 1\n\
a=group:LS 0 1\n\
a=msid-semantic:WMS *\n\
a=setup:actpass\n\
a=ice-ufrag:Bf5g\n\
a=ice-pwd:2XrWzUxXmJ1qDmQ1sYqZkR\n\
a=ice-options:ice2,trickle\n\
a=fingerprint:FINGERPRINT\n\
m=audio 57341 UDP/TLS/RTP/SAVPF 111\n\
c=IN IP4 192.0.2.1\n\
a=mid:0\n\
a=sendonly\n\
a=ssrc:1 cname:obs\n\
a=ssrc:1 msid:stream audio\n\
a=msid:stream audio\n\
a=rtcp-mux\n\
a=rtpmap:111 opus/48000/2\n\
a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1\n\
a=candidate:1 1 UDP 2122317823 192.0.2.1 57341 typ host\n\
a=end-of-candidates\n\
m=video 57341 UDP/TLS/RTP/SAVPF 96\n\
c=IN IP4 192.0.2.1\n\
a=mid:1\n\
a=sendonly\n\
a=ssrc:2 cname:obs\n\
a=ssrc:2 msid:stream video\n\
a=msid:stream video\n\
a=rtcp-mux\n\
a=rtpmap:96 VP8/90000\n\
a=rtcp-fb:96 nack\n\
a=rtcp-fb:96 nack pli\n\
a=rtcp-fb:96 goog-remb\n";

/// GStreamer: many codecs with resends and FEC, resends announced apart, mDNS and TCP candidates,
/// extensions that nobody knows.
pub(super) const GSTREAMER: &str = "v=0\n\
o=- 5829479430478 0 IN IP4 0.0.0.0\n\
s=-\n\
t=0 0\n\
a=ice-options:trickle\n\
a=group:BUNDLE video0 audio1\n\
m=video 9 UDP/TLS/RTP/SAVPF 98 97 96 100 101 102\n\
c=IN IP4 0.0.0.0\n\
a=setup:actpass\n\
a=ice-ufrag:pM0VXFIsnPGiO8q2\n\
a=ice-pwd:8kR9pL2vXq7TzN4sYbC1mD6f\n\
a=rtcp-mux\n\
a=rtcp-rsize\n\
a=sendonly\n\
a=rtpmap:98 H264/90000\n\
a=fmtp:98 packetization-mode=1;profile-level-id=42e01f\n\
a=rtpmap:97 AV1/90000\n\
a=rtpmap:96 VP8/90000\n\
a=rtcp-fb:* nack\n\
a=rtcp-fb:* ccm fir\n\
a=rtcp-fb:96 nack pli\n\
a=rtcp-fb:96 transport-cc\n\
a=rtpmap:100 red/90000\n\
a=rtpmap:101 ulpfec/90000\n\
a=rtpmap:102 rtx/90000\n\
a=fmtp:102 apt=96;rtx-time=3000\n\
a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n\
a=extmap:2/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on\n\
a=extmap:9999999 not a number that there is\n\
a=ssrc-group:FID 3105520143 1421873390\n\
a=ssrc:3105520143 msid:user0 webrtctransceiver0\n\
a=ssrc:3105520143 cname:user0\n\
a=ssrc:1421873390 cname:user0\n\
a=mid:video0\n\
a=fingerprint:FINGERPRINT\n\
a=candidate:1 1 UDP 2015363327 c8d1d0a6-4f6c-4e6e-a8c5-c7d5e7b0f3de.local 41234 typ host\n\
a=candidate:2 1 TCP 1015021823 127.0.0.1 9 typ host tcptype active\n\
a=candidate:3 1 UDP 2015363327 127.0.0.1 41234 typ host\n\
a=candidate:4 2 UDP 2015363326 127.0.0.1 41235 typ host\n\
a=candidate:nonsense\n\
m=audio 9 UDP/TLS/RTP/SAVPF 103 0 8\n\
c=IN IP4 0.0.0.0\n\
a=bundle-only\n\
a=setup:actpass\n\
a=ice-ufrag:pM0VXFIsnPGiO8q2\n\
a=ice-pwd:8kR9pL2vXq7TzN4sYbC1mD6f\n\
a=rtcp-mux\n\
a=sendonly\n\
a=rtpmap:103 OPUS/48000/2\n\
a=fmtp:103 sprop-maxcapturerate=48000;sprop-stereo=0;usedtx=1;useinbandfec=0\n\
a=ssrc:99 cname:user0\n\
a=mid:audio1\n\
a=fingerprint:FINGERPRINT\n";

/// ffmpeg's WHIP muxer: a server of DTLS that sends, credentials in each section, and as one would
/// write it by hand.
pub(super) const FFMPEG: &str = "v=0\r\n\
o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1\r\n\
s=FFmpegPublishSession\r\n\
t=0 0\r\n\
a=group:BUNDLE 0 1\r\n\
a=extmap-allow-mixed\r\n\
a=msid-semantic: WMS\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
c=IN IP4 0.0.0.0\r\n\
a=ice-ufrag:1d5c5ae6\r\n\
a=ice-pwd:1eff3ee51e1b4c4a1b4c4a1b4c4a1b4c\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=setup:passive\r\n\
a=mid:0\r\n\
a=sendonly\r\n\
a=msid:FFmpeg audio\r\n\
a=rtcp-mux\r\n\
a=rtpmap:111 opus/48000/2\r\n\
a=ssrc:4267647086 cname:FFmpeg\r\n\
a=ssrc:4267647086 msid:FFmpeg audio\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 106\r\n\
c=IN IP4 0.0.0.0\r\n\
a=ice-ufrag:1d5c5ae6\r\n\
a=ice-pwd:1eff3ee51e1b4c4a1b4c4a1b4c4a1b4c\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=setup:passive\r\n\
a=mid:1\r\n\
a=sendonly\r\n\
a=msid:FFmpeg video\r\n\
a=rtcp-mux\r\n\
a=rtcp-rsize\r\n\
a=rtpmap:106 VP8/90000\r\n\
a=rtcp-fb:106 nack\r\n\
a=ssrc:107169110 cname:FFmpeg\r\n\
a=ssrc:107169110 msid:FFmpeg video\r\n";

/// An encoder of a phone: strictly one bundle (RFC 9725 §4.4), layers of a picture, no streams
/// announced, a data channel beside.
pub(super) const LARIX: &str = "v=0\r\n\
o=- 7596991810024734139 2 IN IP4 127.0.0.1\r\n\
s=-\r\n\
t=0 0\r\n\
a=group:BUNDLE 0 1 2\r\n\
a=extmap-allow-mixed\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110\r\n\
c=IN IP4 0.0.0.0\r\n\
a=rtcp:9 IN IP4 0.0.0.0\r\n\
a=ice-ufrag:h+XE\r\n\
a=ice-pwd:r4d/NnN1p8zJ9uRkH2bYqVvC\r\n\
a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=setup:active\r\n\
a=mid:0\r\n\
a=sendonly\r\n\
a=msid:- mic\r\n\
a=rtcp-mux\r\n\
a=rtcp-mux-only\r\n\
a=rtpmap:111 opus/48000/2\r\n\
a=rtcp-fb:111 transport-cc\r\n\
a=rtpmap:63 red/48000/2\r\n\
a=fmtp:63 111/111\r\n\
a=rtpmap:110 telephone-event/48000\r\n\
m=video 0 UDP/TLS/RTP/SAVPF 45 46 120 124\r\n\
c=IN IP4 0.0.0.0\r\n\
a=bundle-only\r\n\
a=mid:1\r\n\
a=sendonly\r\n\
a=msid:- camera\r\n\
a=rtcp-mux\r\n\
a=rtpmap:45 VP9/90000\r\n\
a=rtpmap:46 rtx/90000\r\n\
a=fmtp:46 apt=45\r\n\
a=rtpmap:120 VP8/90000\r\n\
a=fmtp:120 max-fs=12288;max-fr=60\r\n\
a=rtpmap:124 rtx/90000\r\n\
a=fmtp:124 apt=120\r\n\
a=rid:h send\r\n\
a=rid:l send\r\n\
a=simulcast:send h;l\r\n\
m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n\
c=IN IP4 0.0.0.0\r\n\
a=bundle-only\r\n\
a=mid:2\r\n\
a=sctp-port:5000\r\n";

/// A peer that says as little as it may: no names, no directions, no bundle.
pub(super) const TERSE: &str = "v=0\r\n\
o=- 1 1 IN IP6 ::1\r\n\
s= \r\n\
t=0 0\r\n\
a=ice-lite\r\n\
a=ice-ufrag:abcd\r\n\
a=ice-pwd:abcdefghijklmnopqrstuv\r\n\
a=fingerprint:FINGERPRINT\r\n\
m=audio 4000 UDP/TLS/RTP/SAVPF 96\r\n\
c=IN IP6 ::1\r\n\
a=rtpmap:96 opus/48000/2\r\n\
a=maxptime:60\r\n\
m=video 4002 UDP/TLS/RTP/SAVPF 97\r\n\
c=IN IP6 ::1\r\n\
a=rtpmap:97 VP8/90000\r\n";

/// An encoder with a group for each of its streams, under the same payload type, and what of the
/// session is said once.
pub(super) const HARDWARE: &str = "v=0\r\n\
o=- 7 1 IN IP4 127.0.0.1\r\n\
s=-\r\n\
t=0 0\r\n\
a=group:BUNDLE v\r\n\
a=group:BUNDLE a\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=ice-pwd:abcdefghijklmnopqrstuv\r\n\
m=video 5000 UDP/TLS/RTP/SAVPF 96\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:v\r\n\
a=ice-ufrag:seen\r\n\
a=setup:actpass\r\n\
a=rtcp-mux\r\n\
a=sendonly\r\n\
a=rtpmap:96 VP8/90000\r\n\
a=candidate:1 1 udp 1 127.0.0.1 5000 typ host\r\n\
m=application 5004 UDP/DTLS/SCTP webrtc-datachannel\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:d\r\n\
m=audio 5002 UDP/TLS/RTP/SAVPF 96\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:a\r\n\
a=ice-ufrag:heard\r\n\
a=setup:active\r\n\
a=rtcp-mux\r\n\
a=sendonly\r\n\
a=rtpmap:96 opus/48000/2\r\n\
a=candidate:1 1 udp 1 127.0.0.1 5002 typ host\r\n\
m=video 5006 UDP/TLS/RTP/SAVPF 96\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:w\r\n\
a=ice-ufrag:other\r\n\
a=setup:actpass\r\n\
a=sendonly\r\n\
a=rtpmap:96 VP8/90000\r\n";

/// One that would take each section in a bundle or not, and gives each an address of its own
/// (RFC 8829 §4.1.1, max-compat).
pub(super) const COMPATIBLE: &str = "v=0\r\n\
o=- 1 1 IN IP4 127.0.0.1\r\n\
s=-\r\n\
t=0 0\r\n\
a=group:BUNDLE a v\r\n\
m=audio 4000 RTP/SAVPF 0 96\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:a\r\n\
a=ice-ufrag:audio\r\n\
a=ice-pwd:abcdefghijklmnopqrstuv\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=setup:actpass\r\n\
a=rtcp-mux\r\n\
a=rtpmap:96 opus/48000/2\r\n\
a=candidate:1 1 udp 1 127.0.0.1 4000 typ host\r\n\
m=video 4002 RTP/SAVPF 97\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:v\r\n\
a=ice-ufrag:video\r\n\
a=ice-pwd:vwxyzvwxyzvwxyzvwxyzvw\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=setup:actpass\r\n\
a=rtcp-mux\r\n\
a=recvonly\r\n\
a=rtpmap:97 VP8/90000\r\n\
a=candidate:1 1 udp 1 127.0.0.1 4002 typ host\r\n";
