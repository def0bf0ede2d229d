//! Writing the JSON of a request.

use super::Encoder;

/// Writes a request, which is a JSON object.
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

    /// Writes a member whose value is already JSON.
    pub(crate) fn json(&mut self, name: &str, json: &[u8]) {
        self.name(name).raw(json);
    }

    /// Writes more members, each with a comma before it.
    pub(crate) fn members(&mut self, members: &[u8]) {
        self.encoder.raw(members);
    }

    /// Writes a nested object; `write` adds its members.
    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.name(name);
        let separator = std::mem::replace(&mut self.separator, b'{');
        write(self);
        if self.separator == b'{' {
            self.encoder.push(b'{');
        }
        self.encoder.push(b'}');
        self.separator = separator;
    }

    /// Writes a list; `write` writes each element.
    pub(crate) fn array<T>(
        &mut self,
        name: &str,
        items: &mut dyn Iterator<Item = T>,
        write: impl Fn(T, &mut Encoder),
    ) {
        let encoder = self.name(name);
        encoder.push(b'[');
        for (index, item) in items.enumerate() {
            encoder.separate(index);
            write(item, encoder);
        }
        encoder.push(b']');
    }

    /// Writes an option if it is true: every such option of DynamoDB is false by default.
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

    /// Returns the members for another request, each with a comma before it.
    pub(crate) fn into_members(self) -> Vec<u8> {
        if self.separator == b'{' {
            return Vec::new();
        }
        // `{"a":1}` becomes `,"a":1`.
        let mut members = self.finish();
        members.pop();
        if let Some(first) = members.first_mut() {
            *first = b',';
        }
        members
    }

    fn name(&mut self, name: &str) -> &mut Encoder {
        self.encoder.push(std::mem::replace(&mut self.separator, b','));
        self.encoder.json_string(name);
        self.encoder.push(b':');
        &mut self.encoder
    }
}
