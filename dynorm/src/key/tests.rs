//! What holds for all templates and values: different parts make different keys, every key reads back as its
//! parts, the order of the last value is that of the keys, and templates that are judged to be apart never
//! make one key.

use std::collections::HashMap;

use fastrand::Rng;

use super::{KeySource, Part, Segment, Template, shared_key};
use crate::codec::{FieldInfo, ScalarType};

/// Two texts and two numbers.
const FIELDS: &[FieldInfo] = &[
    FieldInfo::new("a", Some(ScalarType::String)),
    FieldInfo::new("b", Some(ScalarType::String)),
    FieldInfo::new("m", Some(ScalarType::Number)),
    FieldInfo::new("n", Some(ScalarType::Number)),
];

/// What the fields of an item hold.
#[derive(Clone, Debug, PartialEq)]
struct Parts {
    texts: [String; 2],
    numbers: [i64; 2],
}

impl Parts {
    /// Texts of few characters, most of which mean something to a template, so that they often meet.
    fn random(random: &mut Rng) -> Self {
        let mut text = || {
            let length = random.usize(0..4);
            (0..length)
                .map(|_| {
                    random.choice(['#', '\\', '|', '1', 'A', '-', 'a', '"', 'é', '~', ' ']).unwrap_or('a')
                })
                .collect()
        };
        let texts = [text(), text()];
        let mut number = || [0, 1, 7, 10, 11, 99, 100, -1, -11][random.usize(0..9)];
        Self { texts, numbers: [number(), number()] }
    }

    fn part(&self, field: usize) -> Option<&dyn Part> {
        match field {
            0 | 1 => self.texts.get(field).map(|text| text as &dyn Part),
            _ => self.numbers.get(field - 2).map(|number| number as &dyn Part),
        }
    }

    /// The texts of the fields of a template, as they are read back.
    fn texts_of(&self, template: &Template) -> Vec<(usize, String)> {
        let text = |field: usize| match field {
            0 | 1 => self.texts[field].clone(),
            _ => self.numbers[field - 2].to_string(),
        };
        template.fields().map(|field| (field, text(field))).collect()
    }

    /// `None` where a number does not fit its padding.
    fn key(&self, template: &Template) -> Option<String> {
        template.render(&|field| self.part(field)).ok().flatten()
    }
}

/// A template that the rules permit, of one to five segments.
fn template(random: &mut Rng) -> Template {
    const TEXTS: [&str; 13] = ["#", "A", "A#", "#A#", "|", "-", "1", "~a", "\\", "#\\", "A\\", "é", "##"];
    loop {
        let length = random.usize(1..6);
        let segments = (0..length).map(|_| match random.u8(0..5) {
            0 | 1 => Segment::Text(TEXTS[random.usize(0..TEXTS.len())]),
            2 | 3 => Segment::Field(random.usize(0..4), 0),
            _ => Segment::Field(random.usize(2..4), random.usize(1..4)),
        });
        let segments: Vec<Segment> = segments.collect();
        // A macro reads no two texts in a row.
        let are_texts_apart =
            !segments.windows(2).any(|pair| matches!(pair, [Segment::Text(_), Segment::Text(_)]));
        if are_texts_apart && super::template::is_unambiguous(&segments) {
            return Template::new("pk", Vec::leak(segments));
        }
    }
}

#[test]
fn different_parts_make_different_keys_and_every_key_reads_back() {
    let mut random = Rng::with_seed(14);
    let mut read = 0;
    for _ in 0..400 {
        let template = template(&mut random);
        let mut seen: HashMap<String, Vec<(usize, String)>> = HashMap::new();
        for _ in 0..200 {
            let parts = Parts::random(&mut random);
            let Some(key) = parts.key(&template) else { continue };
            let texts = parts.texts_of(&template);
            assert_eq!(
                template.parse(&key).ok().as_ref(),
                Some(&texts),
                "{key:?} of {:?}",
                template.segments
            );
            let known = seen.entry(key.clone()).or_insert_with(|| texts.clone());
            assert_eq!(*known, texts, "{key:?} of {:?}", template.segments);
            read += 1;
        }
    }
    assert!(read > 20_000, "{read}");
}

/// What is read as a key of the template is what the template makes of it: nothing else is taken.
#[test]
fn what_a_template_cannot_have_made_is_not_read() {
    let mut random = Rng::with_seed(15);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..400 {
        let (template, other) = (template(&mut random), template(&mut random));
        for _ in 0..100 {
            let Some(mut key) = Parts::random(&mut random).key(&other) else { continue };
            let place = key.char_indices().map(|(place, _)| place).nth(random.usize(0..4));
            if let Some(place) = place {
                key.insert(place, random.choice(['#', '\\', '|', '1', 'A']).unwrap_or('#'));
            }
            let Ok(texts) = template.parse(&key) else {
                refused += 1;
                continue;
            };
            taken += 1;
            // Numbers are read as texts here, which the fields then refuse if they are none.
            let parts = |field: usize| texts.iter().find(|(known, _)| *known == field).map(|(_, text)| text);
            let number = |field: usize| parts(field).and_then(|text| text.parse::<i64>().ok());
            let padded = |field: usize| {
                let pads =
                    |segment: &Segment| matches!(segment, Segment::Field(found, 1..) if *found == field);
                template.segments.iter().any(pads)
            };
            let numbers = [number(2), number(3)];
            let again = template.render(&|field| match field {
                2 | 3 if padded(field) => numbers[field - 2].as_ref().map(|number| number as &dyn Part),
                _ => parts(field).map(|text| text as &dyn Part),
            });
            // A field that is padded in one place and not in another is a number in both.
            let is_mixed = template.fields().any(|field| {
                padded(field)
                    && template
                        .segments
                        .iter()
                        .any(|it| matches!(it, Segment::Field(found, 0) if *found == field))
            });
            if !is_mixed {
                assert_eq!(again.ok().flatten().as_deref(), Some(key.as_str()), "{:?}", template.segments);
            }
        }
    }
    assert!(taken > 200 && refused > 2000, "{taken} {refused}");
}

#[test]
fn keys_are_in_the_order_of_the_values_where_they_are_said_to_be() {
    let mut random = Rng::with_seed(16);
    let mut compared = 0;
    for _ in 0..600 {
        let template = template(&mut random);
        let parts = Parts::random(&mut random);
        let Some((at, field)) =
            template.segments.iter().enumerate().find_map(|(at, segment)| match segment {
                Segment::Field(field, _) => Some((at, *field)),
                Segment::Text(_) => None,
            })
        else {
            continue;
        };
        // Nothing else changes, so that the field in question decides.
        let is_once = template.fields().filter(|found| *found == field).count() == 1;
        if !is_once || !template.keeps_order(at, false, field < 2) {
            continue;
        }
        for _ in 0..50 {
            let other = Parts::random(&mut random);
            let mut one = parts.clone();
            match field {
                0 | 1 => one.texts[field].clone_from(&other.texts[field]),
                _ => one.numbers[field - 2] = other.numbers[field - 2],
            }
            let (Some(key), Some(other_key)) = (parts.key(&template), one.key(&template)) else { continue };
            let order = match field {
                0 | 1 => parts.texts[field].cmp(&one.texts[field]),
                _ => parts.numbers[field - 2].cmp(&one.numbers[field - 2]),
            };
            assert_eq!(key.cmp(&other_key), order, "{parts:?} {one:?} {:?}", template.segments);
            compared += 1;
        }
    }
    assert!(compared > 2000, "{compared}");
}

#[test]
fn templates_that_are_judged_to_be_apart_make_different_keys() {
    let mut random = Rng::with_seed(17);
    let (mut apart, mut overlapping) = (0, 0);
    let mut pool: Vec<(usize, Template)> = (0..40).map(|number| (number, template(&mut random))).collect();
    // Templates that differ in one text are what applications have.
    for number in 40..60 {
        let segments = match number % 4 {
            0 => vec![Segment::Text("A#"), Segment::Field(0, 0)],
            1 => vec![Segment::Text("A#"), Segment::Field(0, 0), Segment::Text("#A#"), Segment::Field(2, 0)],
            2 => vec![Segment::Text("A#"), Segment::Field(0, 0), Segment::Text("|"), Segment::Field(1, 0)],
            _ => vec![Segment::Field(0, 0), Segment::Text("#"), Segment::Field(1, 0), Segment::Text("#A")],
        };
        pool.push((number, Template::new("pk", Vec::leak(segments))));
    }
    let keys: Vec<HashMap<String, Parts>> = pool
        .iter()
        .map(|(_, template)| {
            let parts = (0..600).map(|_| Parts::random(&mut random));
            parts.filter_map(|parts| Some((parts.key(template)?, parts))).collect()
        })
        .collect();
    for (number, one) in &pool {
        for (also, other) in pool.iter().skip(number + 1) {
            let sources = (KeySource::Template(*one), KeySource::Template(*other));
            let shared = shared_key((&sources.0, FIELDS), (&sources.1, FIELDS));
            let met = keys[*number].iter().find(|(key, _)| keys[*also].contains_key(*key));
            match &shared {
                None => {
                    apart += 1;
                    assert!(met.is_none(), "{met:?} {:?} {:?}", one.segments, other.segments);
                }
                Some(example) => {
                    overlapping += 1;
                    // A field in two places has one value in both, which the walk does not know.
                    let is_repeated = |template: &Template| {
                        let fields: Vec<usize> = template.fields().collect();
                        fields
                            .iter()
                            .enumerate()
                            .any(|(at, field)| fields.iter().skip(at + 1).any(|it| it == field))
                    };
                    let read = |template: &Template| is_repeated(template) || template.parse(example).is_ok();
                    assert!(read(one) && read(other), "{example:?} {:?} {:?}", one.segments, other.segments);
                }
            }
        }
    }
    assert!(apart > 100 && overlapping > 100, "{apart} {overlapping}");
}
