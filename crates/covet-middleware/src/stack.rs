//! An ordered list of middlewares and how it is run: inwards until one answers, outwards through those that
//! were entered. An empty stack costs one comparison.

use std::sync::Arc;
use std::time::Instant;

use covet_http::{Body, RequestHead, ResponseHead};

use crate::fields::correct_length;
use crate::filter::filtered;
use crate::middleware::{Flow, Middleware};
use crate::store::{StoreAnswer, StoreOperation};

/// Middlewares, outermost first. Cloning shares them.
#[derive(Clone, Default)]
pub struct Stack {
    layers: Vec<Arc<dyn Middleware>>,
}

/// How far a request got on its way in.
#[derive(Debug)]
pub enum Entry {
    /// Past every layer: the endpoint is next. Leave through all layers.
    Through,
    /// A layer answered; leave through the layers outside of it, which are so many.
    Answered(usize, ResponseHead, Body),
}

impl Stack {
    /// A stack of these layers, outermost first.
    pub fn new(layers: Vec<Arc<dyn Middleware>>) -> Self {
        Self { layers }
    }

    /// True when there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// How many layers there are.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// The names, outermost first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.layers.iter().map(|layer| layer.name())
    }

    /// Runs a request inwards. `store` carries out what a layer asks for.
    pub fn enter(
        &self,
        head: &RequestHead,
        now: Instant,
        mut store: impl FnMut(StoreOperation) -> StoreAnswer,
    ) -> Entry {
        for (depth, layer) in self.layers.iter().enumerate() {
            let mut flow = layer.before(head, now);
            while let Flow::Ask(operation) = flow {
                flow = layer.resume(head, store(operation), now);
            }
            if let Flow::Answer(answer, body) = flow {
                return Entry::Answered(depth, answer, body);
            }
        }
        Entry::Through
    }

    /// Runs the answer to `request`, as it came through [`Stack::enter`], outwards through the `entered`
    /// outermost layers. A filtered whole body has the length that the head announces, if it announces one.
    pub fn leave(
        &self,
        entered: usize,
        request: &RequestHead,
        head: &mut ResponseHead,
        mut body: Body,
    ) -> Body {
        for layer in self.layers.iter().take(entered).rev() {
            layer.after(request, head);
            if let Some(filter) = layer.filter(request, head, &body) {
                body = filtered(body, filter);
                correct_length(head, body.size_hint());
            }
        }
        body
    }
}

impl std::fmt::Debug for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::filter::BodyFilter;
    use crate::sample::get;

    type Trace = Arc<Mutex<Vec<String>>>;

    /// Writes down when it runs; answers when the path is its own.
    struct Layer(&'static str, Trace);

    impl Middleware for Layer {
        fn name(&self) -> &'static str {
            self.0
        }

        fn before(&self, head: &RequestHead, _: Instant) -> Flow {
            self.1.lock().unwrap().push(format!("+{}", self.0));
            if head.path.as_ref() == format!("/{}", self.0).as_bytes() {
                return Flow::Answer(ResponseHead::new(203), Body::Empty);
            }
            if head.path.as_ref() == b"/ask" {
                let key = Bytes::from_static(b"k");
                return Flow::Ask(StoreOperation::Increment {
                    key,
                    by: 1,
                    ttl: Duration::from_secs(1),
                });
            }
            Flow::Continue
        }

        fn resume(&self, _: &RequestHead, answer: StoreAnswer, _: Instant) -> Flow {
            self.1.lock().unwrap().push(format!("{answer:?}"));
            Flow::Continue
        }

        fn after(&self, _: &RequestHead, _: &mut ResponseHead) {
            self.1.lock().unwrap().push(format!("-{}", self.0));
        }
    }

    struct Tail;

    impl BodyFilter for Tail {
        fn push(&mut self, part: &[u8], out: &mut Vec<u8>) {
            out.extend_from_slice(part);
        }

        fn finish(&mut self, out: &mut Vec<u8>) {
            out.push(b'!');
        }
    }

    struct Shout;

    impl Middleware for Shout {
        fn name(&self) -> &'static str {
            "shout"
        }

        fn filter(
            &self,
            request: &RequestHead,
            _: &mut ResponseHead,
            _: &Body,
        ) -> Option<Box<dyn BodyFilter>> {
            (request.path != "/quiet").then(|| Box::new(Tail) as _)
        }
    }

    fn run(path: &str) -> (Vec<String>, u16) {
        let trace = Trace::default();
        let stack = Stack::new(vec![
            Arc::new(Layer("a", trace.clone())),
            Arc::new(Layer("b", trace.clone())),
        ]);
        let request = get(path);
        let (entered, mut head, body) = match stack.enter(&request, Instant::now(), |_| StoreAnswer::Count(7))
        {
            Entry::Through => (stack.len(), ResponseHead::new(200), Body::Empty),
            Entry::Answered(depth, head, body) => (depth, head, body),
        };
        stack.leave(entered, &request, &mut head, body);
        (std::mem::take(&mut *trace.lock().unwrap()), head.status)
    }

    #[test]
    fn the_outermost_is_first_in_and_last_out() {
        assert_eq!(
            run("/"),
            (["+a", "+b", "-b", "-a"].map(String::from).to_vec(), 200)
        );
    }

    #[test]
    fn an_early_answer_leaves_through_the_layers_outside() {
        assert_eq!(run("/b"), (["+a", "+b", "-a"].map(String::from).to_vec(), 203));
        assert_eq!(run("/a"), (vec!["+a".to_owned()], 203));
    }

    #[test]
    fn a_layer_may_ask_the_store() {
        assert_eq!(run("/ask").0, ["+a", "Count(7)", "+b", "Count(7)", "-b", "-a"]);
    }

    /// Sends an answer of two bytes out through a layer that adds one to all paths but `/quiet`.
    fn shout(path: &str, announced: bool, body: Body) -> (Vec<(Bytes, Bytes)>, Body) {
        let stack = Stack::new(vec![Arc::new(Shout)]);
        assert_eq!(stack.names().collect::<Vec<_>>(), ["shout"]);
        let mut head = ResponseHead::new(200);
        if announced {
            head.headers
                .push((Bytes::from_static(b"Content-Length"), Bytes::from_static(b"2")));
        }
        let body = stack.leave(1, &get(path), &mut head, body);
        (head.headers, body)
    }

    const HI: Bytes = Bytes::from_static(b"hi");

    #[test]
    fn a_filter_corrects_the_length_of_a_whole_body() {
        let (headers, body) = shout("/", true, Body::Full(HI));
        assert!(matches!(body, Body::Full(bytes) if bytes == "hi!"));
        assert_eq!(headers, [("Content-Length".into(), "3".into())]);
    }

    #[test]
    fn a_length_that_was_not_announced_is_not_added() {
        assert!(shout("/", false, Body::Full(HI)).0.is_empty());
    }

    #[test]
    fn a_filtered_stream_loses_its_length() {
        let (_sender, receiver) = covet_http::channel::channel(10);
        let (headers, body) = shout("/", true, Body::Stream(Box::new(receiver)));
        assert!(matches!(body, Body::Stream(_)));
        assert!(headers.is_empty());
    }

    #[test]
    fn a_layer_may_filter_by_the_request() {
        let (headers, body) = shout("/quiet", true, Body::Full(HI));
        assert!(matches!(body, Body::Full(bytes) if bytes == "hi"));
        assert_eq!(headers, [("Content-Length".into(), "2".into())]);
    }

    #[test]
    fn an_empty_stack_changes_nothing() {
        let stack = Stack::default();
        assert!(stack.is_empty());
        assert!(matches!(
            stack.enter(&get("/"), Instant::now(), |_| StoreAnswer::Unavailable),
            Entry::Through
        ));
    }
}
