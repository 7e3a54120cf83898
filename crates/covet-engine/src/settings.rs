//! What an operator chooses about the engine, besides the limits. Given once, read by every pass.

use covet_middleware::Stack;

/// Choices for one engine.
#[derive(Default)]
pub struct Settings {
    /// Requests in progress beyond which new ones are answered 503 with Retry-After; `None` is no limit.
    pub limit_concurrency: Option<usize>,
    /// Whether `Runtime::access` is called at the end of each request.
    pub access_log: bool,
    /// Native middleware around every dispatch, outermost first.
    pub middleware: Stack,
}
