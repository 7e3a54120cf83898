//! Every bound the server puts on a client, in one value that all doors share.
//! A refusal names the field it came from, so a log line leads straight back to this file.

use std::time::Duration;

/// Bounds on what one client may send, hold or delay. Sizes are bytes, times are wall-clock durations.
///
/// The defaults are safe for a server on the open internet; an application changes single fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Header fields in one request head.
    pub max_fields: usize,
    /// Bytes in the request line or in one header line, line end included.
    pub max_line: usize,
    /// Bytes in the whole request head, the empty line included.
    pub max_head: usize,
    /// Bytes of a request body that is collected in memory before the handler runs.
    pub max_body: u64,
    /// Bytes in the trailer section of a chunked body.
    pub max_trailers: usize,
    /// Bytes in the extension of one chunk, from its `;` to the line end.
    pub max_chunk_extension: usize,
    /// Nested arrays and objects in a JSON document.
    pub json_depth: usize,
    /// Fields in one form, urlencoded or multipart.
    pub form_fields: usize,
    /// Files in one multipart form.
    pub form_files: usize,
    /// Bytes in one form field that is not a file.
    pub form_field_size: u64,
    /// Header fields in one multipart part.
    pub part_fields: usize,
    /// Bytes in the header section of one multipart part.
    pub part_head: usize,
    /// Bytes of one uploaded file that stay in memory before it moves to disk.
    pub spool_size: u64,
    /// Bytes of uploaded files on disk for one request.
    pub max_upload: u64,
    /// From the first byte of a request head to its last.
    pub header_timeout: Duration,
    /// Longest pause between two pieces of a request body.
    pub body_idle_timeout: Duration,
    /// Bytes per second a request body must reach on average, once `body_rate_grace` has passed.
    pub body_min_rate: u64,
    /// How long a request body may be slower than `body_min_rate`.
    pub body_rate_grace: Duration,
    /// Longest pause between an answer and the next request on the same connection.
    pub keep_alive: Duration,
    /// How long a peer may leave an answer unread.
    pub write_stall: Duration,
    /// Longest TLS handshake.
    pub tls_handshake: Duration,
    /// From the order to stop until connections are cut.
    pub drain: Duration,
    /// Bytes of a HTTP/2 header list.
    pub h2_header_list: u32,
    /// Concurrent streams on one HTTP/2 connection.
    pub h2_streams: u32,
    /// Stream resets a HTTP/2 peer may cause in 10 seconds.
    pub h2_resets: u32,
    /// Bytes in one WebSocket message.
    pub websocket_message: u64,
    /// WebSocket messages waiting for the handler.
    pub websocket_queue: usize,
    /// Pause between two WebSocket pings.
    pub websocket_ping: Duration,
    /// How long a WebSocket peer may take to answer a ping.
    pub websocket_pong: Duration,
}

const KIB: usize = 1 << 10;
const MIB: u64 = 1 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_fields: 100,
            max_line: 8 * KIB,
            max_head: 32 * KIB,
            max_body: 16 * MIB,
            max_trailers: 8 * KIB,
            max_chunk_extension: 256,
            json_depth: 64,
            form_fields: 1_000,
            form_files: 100,
            form_field_size: MIB,
            part_fields: 16,
            part_head: 8 * KIB,
            spool_size: MIB,
            max_upload: 256 * MIB,
            header_timeout: Duration::from_secs(10),
            body_idle_timeout: Duration::from_secs(30),
            body_min_rate: 500,
            body_rate_grace: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            write_stall: Duration::from_secs(60),
            tls_handshake: Duration::from_secs(10),
            drain: Duration::from_secs(25),
            h2_header_list: 64 * 1024,
            h2_streams: 100,
            h2_resets: 100,
            websocket_message: 16 * MIB,
            websocket_queue: 64,
            websocket_ping: Duration::from_secs(20),
            websocket_pong: Duration::from_secs(20),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The defaults are a promise: changing one must be a decision, not an accident.
    #[test]
    fn defaults_are_pinned() {
        let text = format!("{:?}", Limits::default());
        println!("{text}");
        assert_eq!(
            text,
            "Limits { max_fields: 100, max_line: 8192, max_head: 32768, max_body: 16777216, \
             max_trailers: 8192, max_chunk_extension: 256, json_depth: 64, form_fields: 1000, \
             form_files: 100, form_field_size: 1048576, part_fields: 16, part_head: 8192, \
             spool_size: 1048576, max_upload: 268435456, header_timeout: 10s, body_idle_timeout: 30s, \
             body_min_rate: 500, body_rate_grace: 10s, keep_alive: 75s, write_stall: 60s, \
             tls_handshake: 10s, drain: 25s, h2_header_list: 65536, h2_streams: 100, h2_resets: 100, \
             websocket_message: 16777216, websocket_queue: 64, websocket_ping: 20s, \
             websocket_pong: 20s }"
        );
    }
}
