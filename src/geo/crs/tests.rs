use super::*;
use crate::error::ErrorKind;

/// WGS 84 / UTM zone 33N as PROJ writes it, without its code.
const UTM: &str = "PROJCRS[\"WGS 84 / UTM zone 33N\",BASEGEOGCRS[\"WGS 84\",ENSEMBLE[\"World Geodetic System 1984 ensemble\",\
    MEMBER[\"World Geodetic System 1984 (Transit)\"],ELLIPSOID[\"WGS 84\",6378137,298.257223563,LENGTHUNIT[\"metre\",1]],\
    ENSEMBLEACCURACY[2.0]],PRIMEM[\"Greenwich\",0,ANGLEUNIT[\"degree\",0.0174532925199433]],ID[\"EPSG\",4326]],\
    CONVERSION[\"UTM zone 33N\",METHOD[\"Transverse Mercator\",ID[\"EPSG\",9807]],\
    PARAMETER[\"Latitude of natural origin\",0,ANGLEUNIT[\"degree\",0.0174532925199433],ID[\"EPSG\",8801]],\
    PARAMETER[\"Longitude of natural origin\",15,ANGLEUNIT[\"degree\",0.0174532925199433],ID[\"EPSG\",8802]],\
    PARAMETER[\"Scale factor at natural origin\",0.9996,SCALEUNIT[\"unity\",1],ID[\"EPSG\",8805]],\
    PARAMETER[\"False easting\",500000,LENGTHUNIT[\"metre\",1],ID[\"EPSG\",8806]],\
    PARAMETER[\"False northing\",0,LENGTHUNIT[\"metre\",1],ID[\"EPSG\",8807]]],CS[Cartesian,2],\
    AXIS[\"(E)\",east,ORDER[1],LENGTHUNIT[\"metre\",1]],AXIS[\"(N)\",north,ORDER[2],LENGTHUNIT[\"metre\",1]]]";

/// France in grads, counted from Paris; kilometers.
const FRANCE: &str = "PROJCS[\"mine\",GEOGCS[\"NTF (Paris)\",DATUM[\"Nouvelle_Triangulation_Francaise_Paris\",\
    SPHEROID[\"Clarke 1880 (IGN)\",6378249.2,293.466021293627]],PRIMEM[\"Paris\",2.33722917],\
    UNIT[\"grad\",0.015707963267949]],PROJECTION[\"Lambert_Conformal_Conic_1SP\"],PARAMETER[\"latitude_of_origin\",52],\
    PARAMETER[\"central_meridian\",0],PARAMETER[\"scale_factor\",0.9998],PARAMETER[\"false_easting\",600],\
    PARAMETER[\"false_northing\",2200],UNIT[\"kilometre\",1000]]";

/// Returns every key with its value as text.
fn dump(keys: &GeoKeys) -> Vec<(u16, String)> {
    let entries = keys.directory.chunks(4).skip(1);
    let value = |entry: &[u16]| {
        let range = usize::from(entry[3])..usize::from(entry[3]) + usize::from(entry[2]);
        match entry[1] {
            0 => entry[3].to_string(),
            34736 => format!("{:?}", &keys.doubles[range]),
            _ => String::from_utf8_lossy(&keys.ascii[range]).into_owned(),
        }
    };
    entries.map(|entry| (entry[0], value(entry))).collect()
}

fn keys(text: &str) -> Vec<(u16, String)> {
    dump(&Crs::parse(text).unwrap().geo_keys().unwrap())
}

fn value(text: &str, key: u16) -> Option<String> {
    keys(text).into_iter().find(|(own, _)| *own == key).map(|(_, value)| value)
}

fn refusal(text: &str) -> String {
    match Crs::parse(text).and_then(|crs| crs.geo_keys()) {
        Ok(keys) => panic!("{text} gave {:?}", dump(&keys)),
        Err(error) => error.to_string(),
    }
}

fn shorts(list: &[(u16, u16)]) -> Vec<(u16, String)> {
    list.iter().map(|(key, value)| (*key, value.to_string())).collect()
}

#[test]
fn codes_become_the_keys_of_their_kind() {
    let projected = shorts(&[(1024, 1), (1025, 1), (3072, 32633), (3076, 9001)]);
    assert_eq!(keys("EPSG:32633"), projected);
    assert_eq!(keys("epsg:32633"), projected);
    assert_eq!(keys("32633"), projected);
    assert_eq!(keys("urn:ogc:def:crs:EPSG::32633"), projected);
    assert_eq!(keys("http://www.opengis.net/def/crs/EPSG/0/32633"), projected);
    let geographic = shorts(&[(1024, 2), (1025, 1), (2048, 4326), (2054, 9102)]);
    assert_eq!(keys("EPSG:4326"), geographic);
    assert_eq!(keys("OGC:CRS84"), geographic);
    // Codes that a check by range would take for others.
    assert_eq!(value("EPSG:4087", 3072).unwrap(), "4087");
    assert_eq!(value("EPSG:7844", 2048).unwrap(), "7844");
    assert_eq!(value("EPSG:4491", 3072).unwrap(), "4491");
    // Grads, US survey feet.
    assert_eq!(value("EPSG:4807", 2054).unwrap(), "9105");
    assert_eq!(value("EPSG:2225", 3076).unwrap(), "9003");
    assert_eq!(keys("EPSG:4979"), shorts(&[(1024, 2), (1025, 1), (2048, 4326), (4096, 4979)]));
    assert_eq!(keys("EPSG:4978"), shorts(&[(1024, 3), (1025, 1), (2048, 4978), (2052, 9001)]));
    let compound = shorts(&[(1024, 1), (1025, 1), (3072, 27700), (3076, 9001), (4096, 5701)]);
    assert_eq!(keys("EPSG:7405"), compound);
    assert_eq!(keys("EPSG:27700+5701"), compound);
    assert_eq!(Crs::epsg(7405).unwrap().kind(), CrsKind::Compound);
    assert_eq!(Crs::epsg(4979).unwrap().geo_keys().unwrap().directory[..3], [1, 1, 1]);
}

#[test]
fn what_keys_cannot_hold_is_refused() {
    for (text, word) in [
        ("EPSG:5773", "compound"),
        ("EPSG:5801", "engineering"),
        ("EPSG:1", "EPSG v"),
        ("EPSG:100000", "WKT"),
        ("ESRI:54009", "projinfo"),
        ("IAU_2015:30100", "projinfo"),
        ("OGC:CRS99", "CRS99"),
        ("EPSG:4326+4326", "vertical"),
        ("nonsense", "EPSG:4326"),
        ("", "empty"),
        ("VERTCRS[\"h\",VDATUM[\"d\"],CS[vertical,1],AXIS[\"up\",up],LENGTHUNIT[\"metre\",1]]", "compound"),
        ("LOCAL_CS[\"x\",UNIT[\"metre\",1]]", "LOCAL_CS"),
        ("VDATUM[\"d\"]", "VDATUM"),
        ("GEOGCRS[\"x\"]", "datum"),
    ] {
        let error = refusal(text);
        assert!(error.contains(word), "{text}: {error}");
    }
    let mollweide = UTM.replace("Transverse Mercator\",ID[\"EPSG\",9807]", "Mollweide\"");
    assert!(refusal(&mollweide).contains("Mollweide"));
    assert!(refusal(&UTM.replace(",east,", ",west,")).contains("west"));
    let error = Crs::parse_option(None, true).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidOption { option: OptionField::CrsWkt, .. }), "{error}");
    assert!(Crs::parse_option(None, false).unwrap().is_none());
    // … except on request.
    assert!(Crs::parse_option(Some(&mollweide), true).unwrap().unwrap().geo_keys().is_ok());
    let keys = Crs::parse(&mollweide).unwrap().with_wkt_citation(true).geo_keys().unwrap();
    assert_eq!(keys.directory[4..8], [1024, 0, 1, 32767]);
    assert!(keys.ascii.starts_with(b"ESRI PE String = PROJCRS[\"WGS 84 / UTM zone 33N\","));
    assert!(keys.ascii.ends_with(b"]|"));
}

#[test]
fn a_definition_is_taken_for_its_code_if_it_deserves_it() {
    let with_code = |text: &str, code: u16| format!("{},ID[\"EPSG\",{code}]]", text.strip_suffix(']').unwrap());
    assert_eq!(Crs::parse(&with_code(UTM, 32633)).unwrap().code(), Some(32633));
    // A UTM zone is recognized without a code.
    assert_eq!(Crs::parse(UTM).unwrap().code(), Some(32633));
    let other = UTM.replace("natural origin\",15,", "natural origin\",16,");
    assert_eq!(Crs::parse(&with_code(&other, 32633)).unwrap().code(), None);
    assert_eq!(value(&with_code(&other, 32633), 3080).unwrap(), "[16.0]");
    // A code of a different kind, unit, or datum.
    for code in [4326, 2225, 25833] {
        assert_eq!(Crs::parse(&with_code(&other, code)).unwrap().code(), None, "{code}");
    }
}

#[test]
fn parts_are_written_out() {
    let list = keys(FRANCE);
    let expected = [
        (1024, "1"),
        (1025, "1"),
        (1026, "mine|"),
        (2048, "4807"),
        (2054, "9105"),
        (3072, "32767"),
        (3074, "32767"),
        (3075, "9"),
        (3076, "9036"),
        (3080, "[0.0]"),
        (3081, "[52.0]"),
        (3082, "[600.0]"),
        (3083, "[2200.0]"),
        (3092, "[0.9998]"),
    ];
    let list: Vec<(u16, &str)> = list.iter().map(|(key, value)| (*key, value.as_str())).collect();
    // Grads become degrees and then grads again.
    let close = |a: &str, b: &str| {
        let number = |text: &str| text.trim_matches(['[', ']']).parse::<f64>().ok();
        a == b || number(a).zip(number(b)).is_some_and(|(a, b)| (a - b).abs() < 1e-9)
    };
    assert!(
        list.len() == expected.len() && list.iter().zip(expected).all(|(a, b)| a.0 == b.0 && close(a.1, b.1)),
        "{list:?}"
    );

    let list =
        keys("+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +a=6378000 +rf=300 +pm=7.5 +to_meter=0.5");
    for (key, wanted) in [
        (2048, "32767"),
        (2049, "GCS Name = unknown|Datum = unknown|Ellipsoid = unknown|Primem = unknown||"),
        (2050, "32767"),
        (2051, "32767"),
        (2056, "32767"),
        (2057, "[6378000.0]"),
        (2059, "[300.0]"),
        (2061, "[7.5]"),
        (3075, "10"),
        (3076, "32767"),
        (3077, "[0.5]"),
        (3082, "[8642000.0]"),
        (3088, "[10.0]"),
        (3089, "[52.0]"),
    ] {
        assert!(list.contains(&(key, wanted.to_owned())), "{key} is not {wanted}: {list:?}");
    }
    assert_eq!(value("+proj=longlat +ellps=bessel +towgs84=1,2,3", 2062).unwrap(), "[1.0, 2.0, 3.0]");
    // PROJ writes the scale of a transformation without a unit.
    let bound = "BOUNDCRS[SOURCECRS[GEOGCRS[\"x\",DATUM[\"y\",ELLIPSOID[\"z\",6377397.155,299.1528128]],CS[ellipsoidal,2],\
        AXIS[\"lat\",north],AXIS[\"lon\",east],ANGLEUNIT[\"degree\",0.0174532925199433]]],TARGETCRS[GEOGCRS[\"WGS 84\",\
        DATUM[\"World Geodetic System 1984\",ELLIPSOID[\"WGS 84\",6378137,298.257223563]],CS[ellipsoidal,2],AXIS[\"lat\",north],\
        AXIS[\"lon\",east],ANGLEUNIT[\"degree\",0.0174532925199433]]],ABRIDGEDTRANSFORMATION[\"t\",METHOD[\"Coordinate Frame rotation\",\
        ID[\"EPSG\",9607]],PARAMETER[\"X-axis translation\",598.1],PARAMETER[\"X-axis rotation\",0.5],\
        PARAMETER[\"Scale difference\",1.0000005]]]";
    assert_eq!(
        value(bound, 2062).unwrap(),
        format!("[598.1, 0.0, 0.0, -0.5, 0.0, 0.0, {:?}]", (1.000_000_5 - 1.0) * 1e6)
    );
    assert!(refusal(&bound.replace("1.0000005", "6.7")).contains("BOUNDCRS"));
    let oblique = "+proj=omerc +lat_0=45 +lonc=9 +alpha=45 +gamma=45 +ellps=intl";
    assert_eq!(value(oblique, 3094).unwrap(), "[45.0]");
    assert_eq!(value("+proj=longlat +datum=WGS84", 2048).unwrap(), "4326");
    assert_eq!(value("+proj=utm +zone=17 +datum=NAD27", 3072).unwrap(), "26717");
    assert_eq!(value("+proj=utm +zone=17 +south +ellps=intl", 3074).unwrap(), "16117");
    assert_eq!(value("+proj=webmerc +datum=WGS84", 3072).unwrap(), "3857");
}

#[test]
fn esris_text_has_names_of_its_own() {
    let text = "PROJCS[\"ETRS_1989_LAEA\",GEOGCS[\"GCS_ETRS_1989\",DATUM[\"D_ETRS_1989\",SPHEROID[\"GRS_1980\",6378137.0,298.257222101]],\
        PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION[\"Lambert_Azimuthal_Equal_Area\"],\
        PARAMETER[\"False_Easting\",4321000.0],PARAMETER[\"False_Northing\",3210000.0],PARAMETER[\"Central_Meridian\",10.0],\
        PARAMETER[\"Latitude_Of_Origin\",52.0],UNIT[\"Meter\",1.0]]";
    // One realization of ETRS89: EPSG:4258 is the ensemble.
    assert_eq!((value(text, 2048).unwrap(), value(text, 2050).unwrap()), ("32767".to_owned(), "6258".to_owned()));
    assert_eq!(value(text, 3075).unwrap(), "10");
    let text = text.replace("PROJECTION[\"Lambert_Azimuthal_Equal_Area\"]", "PROJECTION[\"Goode\"]");
    assert!(refusal(&text).contains("Goode"));
}

#[test]
fn epochs_are_kept() {
    let with_epoch = |text: &str| Crs::parse(text).unwrap().geo_keys().unwrap();
    for text in [
        "EPSG:9000@2021.3",
        "COORDINATEMETADATA[GEOGCRS[\"ITRF2014\",DATUM[\"International Terrestrial Reference Frame 2014\",\
        ELLIPSOID[\"GRS 1980\",6378137,298.257222101]],CS[ellipsoidal,2],AXIS[\"lat\",north],AXIS[\"lon\",east],\
        ANGLEUNIT[\"degree\",0.0174532925199433],ID[\"EPSG\",9000]],EPOCH[2021.3]]",
    ] {
        let list = dump(&with_epoch(text));
        assert!(list.contains(&(2048, "9000".to_owned())) && list.contains(&(5120, "[2021.3]".to_owned())), "{list:?}");
    }
    assert!(Crs::epsg(9000).unwrap().with_coordinate_epoch(20213.0).is_err());
    assert!(Crs::parse("EPSG:9000@soon").is_err());
    let keys = Crs::epsg(4326).unwrap().geo_keys().unwrap();
    let crs = Crs::from_geo_keys(keys.clone());
    assert_eq!(crs.kind(), CrsKind::Geographic2D);
    assert_eq!(crs.geo_keys().unwrap(), keys);
}

#[test]
fn any_text_is_an_answer_or_an_error() {
    // Nearly valid texts: truncated, doubled, with letters and pieces changed, by a fixed sequence of numbers.
    let seeds = [
        UTM,
        FRANCE,
        "+proj=omerc +lat_0=4 +lonc=115 +alpha=53 +gamma=53.1 +k=0.9 +ellps=bessel +towgs84=1,2,3,4,5,6,7 +pm=paris",
        "{\"type\":\"ProjectedCRS\",\"name\":\"x\",\"base_crs\":{\"type\":\"GeographicCRS\",\"name\":\"y\",\"datum\":{\"name\":\"d\",\
         \"ellipsoid\":{\"name\":\"e\",\"semi_major_axis\":6378137,\"inverse_flattening\":298.25}}},\"conversion\":{\"name\":\"z\",\
         \"method\":{\"name\":\"Sinusoidal\"},\"parameters\":[{\"name\":\"False easting\",\"value\":1,\"unit\":\"metre\"}]},\
         \"coordinate_system\":{\"subtype\":\"Cartesian\",\"axis\":[{\"name\":\"E\",\"direction\":\"east\",\"unit\":\"metre\"}]}}",
        "urn:ogc:def:crs:EPSG::32633+5773@2021.3",
        "COMPD_CS[\"a\",GEOGCS[\"b\",DATUM[\"c\",SPHEROID[\"d\",1e300,1e-300],TOWGS84[1,2]],UNIT[\"e\",1e308]],VERT_CS[\"f\",VERT_DATUM[\"g\",2005]]]",
    ];
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    let letters: Vec<char> = "[](){}\",:+=.-09eE \u{e9}\u{1f30d}\0|NaN".chars().collect();
    for round in 0..6000 {
        let mut text: Vec<char> = seeds[round % seeds.len()].chars().collect();
        for _ in 0..=random(4) {
            let (at, length) = (random(text.len()), random(40));
            let end = (at + length).min(text.len());
            match random(4) {
                0 => drop(text.drain(at..end)),
                1 => text.splice(at..at, text[at..end].to_vec()).for_each(drop),
                2 if at < text.len() => text[at] = letters[random(letters.len())],
                _ => text.insert(at, letters[random(letters.len())]),
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok(crs) = Crs::parse(&text) {
            let crs = crs.with_wkt_citation(round % 2 == 0);
            if let Ok(keys) = crs.geo_keys() {
                assert_eq!(usize::from(keys.directory[3]), keys.directory.len() / 4 - 1);
                assert!(keys.doubles.iter().all(|number| number.is_finite()), "{text}: {:?}", keys.doubles);
            }
        }
    }
    for deep in ["A[", "{\"base_crs\":", "[", "+", "\"", "GEOGCS[\"x\","] {
        assert!(Crs::parse(&deep.repeat(50_000)).is_err());
    }
}

#[test]
fn compounds_of_two_codes_have_no_code() {
    let code = |text: &str| Crs::parse(text).unwrap().code();
    assert_eq!(code("EPSG:32633+5773"), None);
    assert_eq!(code("urn:ogc:def:crs:EPSG::32633+5773"), None);
    // One that EPSG defines has its own.
    assert_eq!((code("EPSG:7415"), code("EPSG:32633")), (Some(7415), Some(32633)));
}

#[test]
fn units_of_coordinates() {
    let unit = |text: &str| Crs::parse(text).unwrap().unit();
    let degree = CrsUnit::Angle(std::f64::consts::PI / 180.0);
    assert_eq!(unit("EPSG:32633"), Some(CrsUnit::Length(1.0)));
    assert_eq!(unit("EPSG:2263"), Some(CrsUnit::Length(12.0 / 39.37)));
    assert_eq!(unit("EPSG:4326"), Some(degree));
    assert_eq!(unit("EPSG:4979"), Some(degree));
    assert_eq!(unit("EPSG:4807"), Some(CrsUnit::Angle(std::f64::consts::PI / 200.0)));
    assert_eq!(unit("EPSG:4978"), Some(CrsUnit::Length(1.0)));
    assert_eq!(unit("EPSG:7415"), Some(CrsUnit::Length(1.0)));
    assert_eq!(unit("EPSG:2263+6360"), Some(CrsUnit::Length(12.0 / 39.37)));
    assert_eq!(unit("+proj=laea +lat_0=10 +units=km"), Some(CrsUnit::Length(1000.0)));
    let base = "DATUM[\"d\",ELLIPSOID[\"e\",6378137,298.257223563]]";
    let rotated = format!(
        "GEOGCRS[\"r\",BASEGEOGCRS[\"b\",{base}],DERIVINGCONVERSION[\"c\",METHOD[\"Pole rotation (netCDF CF convention)\"]],\
         CS[ellipsoidal,2],AXIS[\"lat\",north],AXIS[\"lon\",east],ANGLEUNIT[\"degree\",0.0174532925199433]]"
    );
    assert!(matches!(unit(&rotated), Some(CrsUnit::Angle(size)) if (size.to_degrees() - 1.0).abs() < 1e-12));
    assert_eq!(unit("LOCAL_CS[\"l\",LOCAL_DATUM[\"d\",0],UNIT[\"kilometre\",1000]]"), Some(CrsUnit::Length(1000.0)));
    let keys = Crs::from_geo_keys(Crs::parse("EPSG:2263").unwrap().geo_keys().unwrap());
    assert_eq!(keys.unit(), Some(CrsUnit::Length(12.0 / 39.37)));
}
