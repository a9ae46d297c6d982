//! MiniJinja files as templates.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value as Json;

use super::escape_html;

/// What the field is made of, which decides how values get into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldKind {
    /// Values are put in as they are.
    Text,
    /// Values are escaped, unless the template says `|safe`.
    Html,
}

/// Instructions a template may execute per message: enough for thousands of list items, and the end of a loop that
/// never ends.
const FUEL: u64 = 1_000_000;

/// The one name in each template's own environment.
const NAME: &str = "template";

/// A compiled template.
///
/// A variable that the row does not have is an error, and so is printing a null: nobody is to read "Hi none".
/// `{{ first_name | default("there") }}` gives a null another value.
pub struct FileTemplate {
    environment: Environment<'static>,
    /// The path people know it by.
    name: String,
}

impl FileTemplate {
    /// Compiles `text`; `name` is the path shown in errors.
    pub fn compile(name: &str, text: &str, kind: FieldKind) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(move |_| match kind {
            FieldKind::Text => AutoEscape::None,
            FieldKind::Html => AutoEscape::Html,
        });
        environment.set_formatter(|out, state, value| {
            if value.is_none() {
                return Err(Error::new(ErrorKind::InvalidOperation, "the value is null"));
            }
            match state.auto_escape() {
                // MiniJinja's own also escapes the slashes of addresses, which helps nobody to read or to check them.
                AutoEscape::Html if !value.is_safe() => Ok(out.write_str(&escape_html(&value.to_string()))?),
                _ => minijinja::escape_formatter(out, state, value),
            }
        });
        environment.add_filter("default", default);
        environment.add_template_owned(NAME, text.to_owned()).map_err(|error| TemplateError::new(name, &error))?;
        Ok(Self { environment, name: name.to_owned() })
    }

    /// The text for one row. A name with dots is a path: `store.city` is the `city` of `store`.
    pub fn render(&self, values: &serde_json::Map<String, Json>) -> Result<String, TemplateError> {
        self.environment
            .get_template(NAME)
            .and_then(|template| template.render(object(&nested(values))))
            .map_err(|error| TemplateError::new(&self.name, &error))
    }
}

fn nested(values: &serde_json::Map<String, Json>) -> serde_json::Map<String, Json> {
    let mut tree = serde_json::Map::new();
    for (path, value) in values {
        let mut steps = path.split('.');
        let last = steps.next_back().unwrap_or(path);
        let place = steps.try_fold(&mut tree, |place, step| {
            place.entry(step).or_insert_with(|| Json::Object(serde_json::Map::new())).as_object_mut()
        });
        if let Some(place) = place {
            place.insert(last.to_owned(), value.clone());
        }
    }
    tree
}

fn object(values: &serde_json::Map<String, Json>) -> Value {
    Value::from_pairs(values.iter().map(|(name, value)| (name.as_str(), template_value(value))))
}

fn template_value(value: &Json) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::from(integer),
            (None, Some(float)) => Value::from(float),
            (None, None) => Value::from(number.to_string()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from_object(List(items.iter().map(template_value).collect())),
        Json::Object(fields) => object(fields),
    }
}

/// A list. Beyond its end are empty slots, so that a template with three places shows two things.
#[derive(Debug)]
struct List(Vec<Value>);

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let at = key.as_i64()?;
        let from_end = self.0.len() as i64 + at;
        let item = usize::try_from(if at < 0 { from_end } else { at }).ok().and_then(|at| self.0.get(at));
        Some(item.cloned().unwrap_or_else(|| Value::from_object(EmptySlot)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

/// What a list has beyond its end: nothing, of which everything is nothing. It is false in a condition.
#[derive(Debug)]
struct EmptySlot;

impl Object for EmptySlot {
    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some(Value::from(""))
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn render(self: &Arc<Self>, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

/// Other than MiniJinja's own, also replaces null.
fn default(value: &Value, other: Option<Value>) -> Value {
    if value.is_undefined() || value.is_none() { other.unwrap_or_else(|| Value::from("")) } else { value.clone() }
}

/// Why a template cannot be compiled or rendered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{name}` line {line}: {message}")]
pub struct TemplateError {
    /// The template's path.
    pub name: String,
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl TemplateError {
    fn new(name: &str, error: &Error) -> Self {
        let message = match (error.kind(), error.detail()) {
            (ErrorKind::OutOfFuel, _) => "the template does too much for one message".to_owned(),
            (ErrorKind::UndefinedError, None) => "a variable has no value".to_owned(),
            (_, Some(detail)) => detail.to_owned(),
            (kind, None) => kind.to_string(),
        };
        Self { name: name.to_owned(), line: error.line().unwrap_or(1), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(text: &str, kind: FieldKind, values: Json) -> Result<String, String> {
        let template = FileTemplate::compile("hi.html", text, kind).map_err(|error| error.to_string())?;
        template.render(values.as_object().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_escaped_in_html_only() {
        let row = json!({"name": "<Zoë & co>"});
        assert_eq!(render("Hi {{ name }}", FieldKind::Text, row.clone()).unwrap(), "Hi <Zoë & co>");
        assert_eq!(render("Hi {{ name }}", FieldKind::Html, row.clone()).unwrap(), "Hi &lt;Zoë &amp; co&gt;");
        let link = json!({"url": "https://a.test/x?a=1&b=2"});
        let written = "<a href=\"https://a.test/x?a=1&amp;b=2\">";
        assert_eq!(render("<a href=\"{{ url }}\">", FieldKind::Html, link).unwrap(), written);
        assert_eq!(render("Hi {{ name|safe }}", FieldKind::Html, row).unwrap(), "Hi <Zoë & co>");
    }

    #[test]
    fn names_with_dots_are_paths() {
        let row = json!({"store.city": "Lyon", "store.name": "Shop 1", "id": 7});
        let text = "{{ id }}{% if store.city %}: {{ store.name }}, {{ store.city }}{% endif %}";
        assert_eq!(render(text, FieldKind::Text, row).unwrap(), "7: Shop 1, Lyon");
    }

    #[test]
    fn beyond_a_list_are_empty_slots() {
        let row = json!({"items": [{"title": "lamp", "price": 5}, {"title": "<chair>", "price": 7}], "empty": []});
        let slots = "{% for at in [0, 1, 2] %}[{{ items[at].title }}]{% endfor %}{{ items[2].price }}{{ empty[0] }}";
        assert_eq!(render(slots, FieldKind::Text, row.clone()).unwrap(), "[lamp][<chair>][]");
        let tested = "{% if items[1] %}two{% endif %}{% if items[2] %}three{% endif %} {{ items | length }}";
        assert_eq!(render(tested, FieldKind::Text, row.clone()).unwrap(), "two 2");
        let html = "{% for item in items | sort(attribute='price', reverse=true) %}{{ item.title }} {% endfor %}{{ items[-1].price }}";
        assert_eq!(render(html, FieldKind::Html, row.clone()).unwrap(), "&lt;chair&gt; lamp 7");
        assert_eq!(
            render("{% for x in empty %}{{ x }}{% else %}nothing{% endfor %}", FieldKind::Text, row).unwrap(),
            "nothing"
        );
    }

    #[test]
    fn missing_and_null_values_are_errors_unless_they_have_a_default() {
        let row = json!({"name": null, "items": [{"title": "lamp"}, {"title": "chair"}]});
        let text = "{% for item in items %}{{ item.title }}{{ ', ' if not loop.last }}{% endfor %}";
        assert_eq!(render(text, FieldKind::Text, row.clone()).unwrap(), "lamp, chair");
        assert_eq!(render("Hi {{ name|default('you') }}", FieldKind::Text, row.clone()).unwrap(), "Hi you");
        assert_eq!(
            render("Hi\n{{ name }}", FieldKind::Text, row.clone()),
            Err("`hi.html` line 2: the value is null".to_owned())
        );
        assert!(render("{{ nmae }}", FieldKind::Text, row).unwrap_err().starts_with("`hi.html` line 1: "));
    }

    #[test]
    fn mistakes_are_found_when_compiling_and_endless_work_stops() {
        let wrong = render("{% if x %}", FieldKind::Text, json!({})).unwrap_err();
        assert!(wrong.starts_with("`hi.html` line 1: "), "{wrong}");
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}";
        assert_eq!(
            render(endless, FieldKind::Text, json!({})),
            Err("`hi.html` line 1: the template does too much for one message".to_owned())
        );
    }
}
