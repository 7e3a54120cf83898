//! Where a plan's values come from: the request as either door holds it. Implemented by the doors; no copies here.

use std::borrow::Cow;

/// One request's raw values. Names are as the plan has them: headers in lower case with hyphens.
pub(crate) trait ValueSource {
    /// The text of a path parameter, percent-decoded. None when it is absent or a converter made another object of it.
    fn path(&self, name: &str) -> Option<Cow<'_, str>>;

    /// The raw query string, without the question mark.
    fn query(&self) -> &[u8];

    /// Call `each` with the value of every field called `name`, in order, until it gives false.
    fn headers(&self, name: &[u8], each: &mut dyn FnMut(&[u8]) -> bool);
}
