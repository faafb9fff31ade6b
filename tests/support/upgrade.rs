//! How a WebSocket begins.

/// The head of the handshake (RFC 6455 §4.1), with the key of its example.
pub(crate) const UPGRADE: &str = "GET /ws HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\n\
                                  upgrade: websocket\r\nsec-websocket-version: 13\r\n\
                                  sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
