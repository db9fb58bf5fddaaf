//! PROJJSON (version 0.7 of its schema), converted to the equivalent WKT 2 tree.

use serde_json::{Map, Value as Json};

use super::wkt::{LONGEST, Node, Value};

type Object = Map<String, Json>;

/// Parses a text.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    if text.len() > LONGEST {
        return Err(format!("the text has {} bytes, over the limit of {LONGEST}", text.len()));
    }
    // serde_json rejects input nested more than 128 levels deep.
    let json: Json = serde_json::from_str(text).map_err(|error| format!("invalid JSON: {error}"))?;
    match json {
        Json::Object(object) => system(&object, false),
        _ => Err("PROJJSON must be an object".to_owned()),
    }
}

fn system(object: &Object, is_base: bool) -> Result<Node, String> {
    let kind = text(object, "type").ok_or("an object has no 'type'")?;
    let keyword = match (kind, is_base) {
        ("GeographicCRS", false) => "GEOGCRS",
        ("GeodeticCRS", false) => "GEODCRS",
        ("GeographicCRS", true) => "BASEGEOGCRS",
        ("GeodeticCRS", true) => "BASEGEODCRS",
        ("ProjectedCRS", true) => "BASEPROJCRS",
        ("ProjectedCRS", false) => "PROJCRS",
        ("VerticalCRS", _) => "VERTCRS",
        ("CompoundCRS", _) => "COMPOUNDCRS",
        ("BoundCRS", _) => "BOUNDCRS",
        ("EngineeringCRS", _) => "ENGCRS",
        ("DerivedProjectedCRS", _) => "DERIVEDPROJCRS",
        ("DerivedGeographicCRS", _) => "GEOGCRS",
        ("DerivedGeodeticCRS", _) => "GEODCRS",
        ("DerivedVerticalCRS", _) => "VERTCRS",
        ("CoordinateMetadata", _) => "COORDINATEMETADATA",
        _ => return Err(format!("the PROJJSON type '{kind}' is not a coordinate reference system")),
    };
    let mut node = Node::named(keyword, text(object, "name").unwrap_or_default());
    if kind.starts_with("Derived") {
        node.push(Node::named("DERIVINGCONVERSION", ""));
    }
    match keyword {
        "COORDINATEMETADATA" => {
            node.values.clear();
            node.push(system(inner(object, "crs")?, false)?);
            if let Some(epoch) = object.get("coordinateEpoch").and_then(Json::as_f64) {
                node.push(Node { keyword: "EPOCH".to_owned(), values: vec![Value::Number(epoch)] });
            }
            return Ok(node);
        }
        "COMPOUNDCRS" => {
            for part in objects(object, "components") {
                node.push(system(part, false)?);
            }
        }
        "BOUNDCRS" => {
            node.values.clear();
            for (key, keyword) in [("source_crs", "SOURCECRS"), ("target_crs", "TARGETCRS")] {
                let part = system(inner(object, key)?, false)?;
                node.push(Node { keyword: keyword.to_owned(), values: vec![Value::Node(part)] });
            }
            node.push(conversion(inner(object, "transformation")?, "ABRIDGEDTRANSFORMATION")?);
            return Ok(node);
        }
        "PROJCRS" => {
            node.push(system(inner(object, "base_crs")?, true)?);
            node.push(conversion(inner(object, "conversion")?, "CONVERSION")?);
        }
        _ => datum(object, keyword == "VERTCRS", &mut node)?,
    }
    if let Ok(axes) = inner(object, "coordinate_system") {
        coordinate_system(axes, &mut node)?;
    }
    identifiers(object, &mut node);
    Ok(node)
}

fn datum(object: &Object, is_vertical: bool, node: &mut Node) -> Result<(), String> {
    let Some(datum) = ["datum", "datum_ensemble"].iter().find_map(|key| inner(object, key).ok()) else { return Ok(()) };
    let mut element =
        Node::named(if is_vertical { "VDATUM" } else { "DATUM" }, text(datum, "name").unwrap_or_default());
    if let Ok(ellipsoid) = inner(datum, "ellipsoid") {
        let mut shape = Node::named("ELLIPSOID", text(ellipsoid, "name").unwrap_or_default());
        let of = |key: &str| ellipsoid.get(key).map(|value| quantity(value, 1.0, key)).transpose();
        let radius = of("radius")?;
        let semi_major = of("semi_major_axis")?.or(radius).ok_or("an ellipsoid has no size")?;
        let inverse = match (of("inverse_flattening")?, of("semi_minor_axis")?.or(radius)) {
            (Some(inverse), _) => inverse,
            #[expect(clippy::float_cmp, reason = "a sphere is told by equal axes")]
            (None, Some(semi_minor)) if semi_minor == semi_major => 0.0,
            (None, Some(semi_minor)) => semi_major / (semi_major - semi_minor),
            (None, None) => return Err("an ellipsoid has no flattening".to_owned()),
        };
        if !inverse.is_finite() {
            return Err("an ellipsoid has an invalid flattening".to_owned());
        }
        shape.values.extend([Value::Number(semi_major), Value::Number(inverse)]);
        element.push(shape);
    }
    identifiers(datum, &mut element);
    node.push(element);
    if let Ok(meridian) = inner(datum, "prime_meridian") {
        let mut element = Node::named("PRIMEM", text(meridian, "name").unwrap_or_default());
        let degree = std::f64::consts::PI / 180.0;
        let longitude = meridian.get("longitude").ok_or("a prime meridian has no longitude")?;
        let radians = quantity(longitude, degree, "longitude")?;
        let degrees = longitude.as_f64().unwrap_or_else(|| radians.to_degrees());
        element.values.push(Value::Number(degrees));
        element.push(unit("ANGLEUNIT", "degree", degree));
        node.push(element);
    }
    Ok(())
}

fn conversion(object: &Object, keyword: &str) -> Result<Node, String> {
    let mut node = Node::named(keyword, text(object, "name").unwrap_or_default());
    let method = inner(object, "method")?;
    let mut element = Node::named("METHOD", text(method, "name").unwrap_or_default());
    identifiers(method, &mut element);
    node.push(element);
    for parameter in objects(object, "parameters") {
        let mut element = Node::named("PARAMETER", text(parameter, "name").unwrap_or_default());
        let Some(value) = parameter.get("value").and_then(Json::as_f64) else {
            return Err(format!("the parameter '{}' has no number", element.name()));
        };
        let own = parameter.get("unit").map(unit_of).transpose()?;
        // In WKT, an abridged transformation holds the scale itself.
        if keyword == "ABRIDGEDTRANSFORMATION"
            && element.name() == "Scale difference"
            && own.as_ref().and_then(|unit| unit.number(1)) == Some(1e-6)
        {
            element.values.push(Value::Number(1.0 + value * 1e-6));
            element.push(unit("SCALEUNIT", "unity", 1.0));
        } else {
            element.values.push(Value::Number(value));
            element.values.extend(own.map(Value::Node));
        }
        identifiers(parameter, &mut element);
        node.push(element);
    }
    Ok(node)
}

fn coordinate_system(object: &Object, node: &mut Node) -> Result<(), String> {
    let axes: Vec<&Object> = objects(object, "axis").collect();
    let kind = text(object, "subtype").unwrap_or_default().to_ascii_lowercase();
    let count = u32::try_from(axes.len()).map_err(|_| "there are too many axes")?;
    node.push(Node { keyword: "CS".to_owned(), values: vec![Value::Word(kind), Value::Number(f64::from(count))] });
    for axis in axes {
        let mut element = Node::named("AXIS", text(axis, "name").unwrap_or_default());
        element.values.push(Value::Word(text(axis, "direction").unwrap_or_default().to_ascii_lowercase()));
        if let Some(own) = axis.get("unit") {
            element.push(unit_of(own)?);
        }
        node.push(element);
    }
    Ok(())
}

/// `"metre"`, `"degree"`, `"unity"`, or an object with a name and a factor.
fn unit_of(json: &Json) -> Result<Node, String> {
    match json {
        Json::String(name) => match name.as_str() {
            "metre" => Ok(unit("LENGTHUNIT", name, 1.0)),
            "degree" => Ok(unit("ANGLEUNIT", name, std::f64::consts::PI / 180.0)),
            "unity" => Ok(unit("SCALEUNIT", name, 1.0)),
            _ => Err(format!("the unit '{name}' is unknown")),
        },
        Json::Object(object) => {
            let name = text(object, "name").unwrap_or_default();
            let factor = object.get("conversion_factor").and_then(Json::as_f64);
            let keyword = match text(object, "type") {
                Some("LinearUnit") => "LENGTHUNIT",
                Some("AngularUnit") => "ANGLEUNIT",
                Some("ScaleUnit") => "SCALEUNIT",
                _ => "UNIT",
            };
            factor.map(|factor| unit(keyword, name, factor)).ok_or_else(|| format!("the unit '{name}' has no factor"))
        }
        _ => Err("a unit must be a name or an object".to_owned()),
    }
}

fn unit(keyword: &str, name: &str, size: f64) -> Node {
    let mut node = Node::named(keyword, name);
    node.values.push(Value::Number(size));
    node
}

/// Reads a number, or an object with a value and a unit, and returns it in SI units. A bare number has the unit
/// `usual`.
fn quantity(json: &Json, usual: f64, what: &str) -> Result<f64, String> {
    let lacks = || format!("'{what}' is not a number");
    if let Some(object) = json.as_object() {
        let value = object.get("value").and_then(Json::as_f64).ok_or_else(lacks)?;
        let size = object.get("unit").map(unit_of).transpose()?.and_then(|unit| unit.number(1)).unwrap_or(usual);
        return Ok(value * size);
    }
    json.as_f64().map(|value| value * usual).ok_or_else(lacks)
}

fn identifiers(object: &Object, node: &mut Node) {
    let ids = object.get("id").and_then(Json::as_object).into_iter().chain(objects(object, "ids"));
    for id in ids {
        let mut element = Node::named("ID", text(id, "authority").unwrap_or_default());
        match id.get("code") {
            Some(Json::String(code)) => element.values.push(Value::Text(code.clone())),
            Some(code) => element.values.extend(code.as_f64().map(Value::Number)),
            None => continue,
        }
        node.push(element);
    }
}

fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

fn inner<'a>(object: &'a Object, key: &str) -> Result<&'a Object, String> {
    object.get(key).and_then(Json::as_object).ok_or_else(|| format!("PROJJSON has no '{key}'"))
}

fn objects<'a>(object: &'a Object, key: &str) -> impl Iterator<Item = &'a Object> {
    object.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_become_elements() {
        let text = r#"{"type": "GeographicCRS", "name": "x", "datum": {"type": "GeodeticReferenceFrame", "name": "d",
            "ellipsoid": {"name": "e", "semi_major_axis": 6378000, "semi_minor_axis": 6357000},
            "prime_meridian": {"name": "Paris", "longitude": {"value": 2.5, "unit": {"type": "AngularUnit",
            "name": "grad", "conversion_factor": 0.015707963267948967}}}},
            "coordinate_system": {"subtype": "ellipsoidal", "axis": [{"name": "Lat", "direction": "north", "unit": "degree"}]},
            "id": {"authority": "EPSG", "code": 4326}}"#;
        let node = parse(text).unwrap();
        assert_eq!(node.keyword, "GEOGCRS");
        assert_eq!(node.epsg(), Some(4326));
        assert_eq!(node.child(&["PRIMEM"]).unwrap().number(1).unwrap(), 2.25);
        let ellipsoid = node.child(&["DATUM"]).unwrap().child(&["ELLIPSOID"]).unwrap();
        assert_eq!(ellipsoid.number(2), Some(6_378_000.0 / 21_000.0));
    }

    #[test]
    fn other_json_is_refused() {
        for text in ["", "{}", "[]", "1", "{\"type\": \"Ellipsoid\"}", "{\"type\": \"ProjectedCRS\", \"name\": \"x\"}"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
