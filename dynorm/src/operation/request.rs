//! The JSON of requests, and what they have in common.

use crate::codec::Encoder;

/// A request as it is being written: a JSON object.
pub(crate) struct Request {
    encoder: Encoder,
    separator: u8,
}

impl Request {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { encoder: Encoder::with_capacity(capacity + 128), separator: b'{' }
    }

    pub(crate) fn for_table(table: &str, capacity: usize) -> Self {
        let mut request = Self::new(capacity);
        request.text("TableName", table);
        request
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.name(name).json_string(text);
    }

    /// A value that is JSON already.
    pub(crate) fn json(&mut self, name: &str, json: &[u8]) {
        self.name(name).raw(json);
    }

    /// Written only if it is true: every such option of DynamoDB is false by default.
    pub(crate) fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.json(name, b"true");
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let mut encoder = self.encoder;
        if self.separator == b'{' {
            encoder.push(b'{');
        }
        encoder.push(b'}');
        encoder.into_bytes()
    }

    fn name(&mut self, name: &str) -> &mut Encoder {
        self.encoder.push(std::mem::replace(&mut self.separator, b','));
        self.encoder.json_string(name);
        self.encoder.push(b':');
        &mut self.encoder
    }
}
