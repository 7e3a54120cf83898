//! Compression of answers with gzip, for clients that take it. The rules are those of
//! `covet.middleware.gzip.GZipMiddleware`, whose attributes the options are; only the bytes that the compressor
//! chooses may differ. Its `thread_minimum_size` is here the size from which on a whole body is compressed in steps
//! between which the thread serves others: such an answer goes out as a stream, without a content-length.

use std::sync::{Arc, Mutex, PoisonError};

use covet_http::{Body, RequestHead, ResponseHead, latin1};
use flate2::{Compress, Compression, FlushCompress, Status};
use memchr::memmem;

use crate::fields::{add_vary, get, set};
use crate::filter::BodyFilter;
use crate::middleware::Middleware;

/// What `GZipMiddleware` made of its arguments; the fields are named like its attributes.
#[derive(Debug, Clone)]
pub struct GzipOptions {
    /// Bytes that a whole body has at least to be compressed. Streams always are.
    pub minimum_size: usize,
    /// 0 (none) to 9 (smallest).
    pub compresslevel: u32,
    /// Bytes from which on a whole body is compressed in steps, as a stream.
    pub thread_minimum_size: usize,
    /// Media types that are left alone, in lower case: `type/subtype`, or `type/*`.
    pub exclude_content_types: Vec<String>,
}

/// Compresses bodies.
pub struct Gzip {
    options: GzipOptions,
    spare: Spare,
}

/// A compressor that nobody uses: to make one costs more than to compress a small body.
type Spare = Arc<Mutex<Option<Compress>>>;

fn locked(spare: &Spare) -> std::sync::MutexGuard<'_, Option<Compress>> {
    spare.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gzip {
    /// Follows these options; a level above 9 means 9.
    pub fn new(mut options: GzipOptions) -> Self {
        options.compresslevel = options.compresslevel.min(9);
        Self {
            options,
            spare: Spare::default(),
        }
    }

    fn compressor(&self) -> Compressor {
        let deflate = match locked(&self.spare).take() {
            Some(mut used) => {
                used.reset();
                used
            }
            None => Compress::new_gzip(Compression::new(self.options.compresslevel), WINDOW_BITS),
        };
        Compressor {
            deflate: Some(deflate),
            spare: Arc::clone(&self.spare),
            whole_limit: self.options.thread_minimum_size,
        }
    }

    fn leaves_alone(&self, head: &ResponseHead, body: &Body) -> bool {
        let is_small = match body {
            Body::Empty => 0 < self.options.minimum_size,
            Body::Full(bytes) => bytes.len() < self.options.minimum_size,
            Body::Stream(_) => false,
        };
        // RFC 9110, section 14.4: a range counts bytes of the representation that was chosen.
        is_small
            || head.status == 206
            || get(head, b"content-encoding").is_some()
            || self.excludes(get(head, b"content-type").map_or(b"", |value| value))
    }

    fn excludes(&self, content_type: &[u8]) -> bool {
        let essence = content_type
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        let essence = latin1::decode(latin1::strip(essence)).to_lowercase();
        let family = essence.split('/').next().unwrap_or_default();
        self.options.exclude_content_types.iter().any(|excluded| {
            *excluded == essence
                || excluded.strip_suffix("/*") == Some(family)
                || (excluded == "application/grpc" && essence.starts_with("application/grpc+"))
        })
    }
}

impl Middleware for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn filter(
        &self,
        request: &RequestHead,
        head: &mut ResponseHead,
        body: &Body,
    ) -> Option<Box<dyn BodyFilter>> {
        if self.leaves_alone(head, body) {
            return None;
        }
        add_vary(head, "Accept-Encoding");
        let accepted = request.headers.get(b"accept-encoding").unwrap_or_default();
        memmem::find(accepted, b"gzip")?;
        set(head, "content-encoding".into(), "gzip".into());
        if let (None, Some(length)) = (head.get(b"content-length"), body.size_hint()) {
            // A place for the length, which the stack makes true.
            set(head, "content-length".into(), length.to_string().into());
        }
        Some(Box::new(self.compressor()))
    }
}

/// Room for what the compressor holds back, and for the end of a gzip stream.
const ROOM: usize = 256;
/// The largest window: 32 KiB.
const WINDOW_BITS: u8 = 15;

/// One gzip stream.
struct Compressor {
    /// There until it is dropped.
    deflate: Option<Compress>,
    spare: Spare,
    whole_limit: usize,
}

impl Drop for Compressor {
    fn drop(&mut self) {
        *locked(&self.spare) = self.deflate.take();
    }
}

impl Compressor {
    /// Compresses all of `input`; with a flush, everything that was taken so far is in `out` afterwards.
    fn run(&mut self, mut input: &[u8], flush: FlushCompress, out: &mut Vec<u8>) {
        let Some(deflate) = &mut self.deflate else {
            return;
        };
        loop {
            out.reserve(ROOM + input.len() / 4);
            let before = deflate.total_in();
            let status = deflate.compress_vec(input, out, flush);
            let taken = (deflate.total_in() - before) as usize;
            input = input.get(taken..).unwrap_or_default();
            // It has nothing more to say when it leaves room. An error means a state that this type never makes;
            // a stream that ends there has no trailer, so no client takes it for whole.
            let is_over = input.is_empty() && out.len() < out.capacity();
            if is_over || !matches!(status, Ok(Status::Ok | Status::BufError)) {
                return;
            }
        }
    }
}

impl BodyFilter for Compressor {
    fn push(&mut self, part: &[u8], out: &mut Vec<u8>) {
        self.run(part, FlushCompress::None, out);
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        self.run(&[], FlushCompress::Sync, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.run(&[], FlushCompress::Finish, out);
    }

    fn whole_limit(&self) -> usize {
        self.whole_limit
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::task::{Poll, Waker};

    use bytes::Bytes;
    use covet_http::BodyStream;
    use covet_http::channel::channel;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::filter::{STEP, filtered};
    use crate::sample::request;

    fn options() -> GzipOptions {
        GzipOptions {
            minimum_size: 500,
            compresslevel: 9,
            thread_minimum_size: 128 << 10,
            exclude_content_types: vec!["audio/*".into(), "application/grpc".into()],
        }
    }

    fn inflate(compressed: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        let mut decoder = flate2::read::MultiGzDecoder::new(compressed);
        decoder.read_to_end(&mut plain).unwrap();
        plain
    }

    /// Pulls a stream to its end, like an engine that is woken at once.
    fn pull(stream: &mut dyn BodyStream) -> Vec<Bytes> {
        let mut pieces = Vec::new();
        loop {
            match stream.poll_chunk(Waker::noop()) {
                Poll::Pending => {}
                Poll::Ready(Some(piece)) => pieces.push(piece.unwrap()),
                Poll::Ready(None) => return pieces,
            }
        }
    }

    fn compress(gzip: &Gzip, body: Body) -> Vec<u8> {
        match filtered(body, Box::new(gzip.compressor())) {
            Body::Stream(mut stream) => pull(&mut *stream).concat(),
            Body::Full(bytes) => bytes.into(),
            Body::Empty => Vec::new(),
        }
    }

    /// Random bytes and runs of one byte: what does not compress, and what does.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let run = (any::<u8>(), 0..3 * STEP).prop_map(|(byte, len)| vec![byte; len]);
        vec(prop_oneof![vec(any::<u8>(), 0..4096), run], 0..6).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_split_of_any_body_decompresses_to_it(
            body in body(),
            cuts in vec(any::<prop::sample::Index>(), 0..8),
            compresslevel in 0..=9_u32,
        ) {
            let gzip = Gzip::new(GzipOptions { compresslevel, ..options() });
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
            cuts.sort_unstable();
            let (sender, receiver) = channel(usize::MAX);
            let mut start = 0;
            for end in cuts.into_iter().chain([body.len()]) {
                sender.push(Bytes::copy_from_slice(&body[start..end]));
                start = end;
            }
            sender.finish();
            prop_assert_eq!(inflate(&compress(&gzip, Body::Stream(Box::new(receiver)))), &body[..]);
            // A used compressor, and a body in one piece.
            prop_assert_eq!(inflate(&compress(&gzip, Bytes::from(body.clone()).into())), body);
        }
    }

    #[test]
    fn a_used_compressor_remembers_nothing() {
        let secret = Bytes::from("a session that is nobody else's business".repeat(40));
        let public = Bytes::from("a session that everybody may see".repeat(40));
        let fresh = compress(&Gzip::new(options()), public.clone().into());
        let gzip = Gzip::new(options());
        compress(&gzip, secret.into());
        assert_eq!(compress(&gzip, public.into()), fresh);
    }

    #[test]
    fn each_piece_of_a_stream_can_be_read_when_it_comes() {
        let (sender, receiver) = channel(100);
        let Body::Stream(mut stream) = filtered(
            Body::Stream(Box::new(receiver)),
            Box::new(Gzip::new(options()).compressor()),
        ) else {
            panic!("expected a stream");
        };
        let mut inflater = flate2::Decompress::new_gzip(WINDOW_BITS);
        for text in ["one", "two"] {
            sender.push(text.into());
            let Poll::Ready(Some(Ok(piece))) = stream.poll_chunk(Waker::noop()) else {
                panic!("expected a piece");
            };
            let mut plain = Vec::with_capacity(10);
            inflater
                .decompress_vec(&piece, &mut plain, flate2::FlushDecompress::Sync)
                .unwrap();
            assert_eq!(plain, text.as_bytes());
        }
    }

    #[test]
    fn a_large_whole_body_becomes_a_stream_without_a_length() {
        let stack = crate::Stack::new(vec![Arc::new(Gzip::new(options()))]);
        let request = request("GET", "/", "accept-encoding: gzip\r\n");
        for (length, is_stream) in [((128 << 10) - 1, false), (128 << 10, true)] {
            let mut head = ResponseHead::new(200);
            let body = Body::Full(vec![b'x'; length].into());
            let body = stack.leave(1, &request, &mut head, body);
            assert_eq!(matches!(body, Body::Stream(_)), is_stream);
            assert_eq!(head.get(b"content-length").is_none(), is_stream);
        }
    }
}
