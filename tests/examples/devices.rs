//! The account page: it lists a person's devices, and signs out one or all others.

use crate::{
    person::{Person, location},
    program::Program,
};

/// Returns the ids that the page offers to sign out.
async fn others(person: &mut Person) -> Vec<String> {
    let page = person.get("/").await.text().await.unwrap();
    assert!(page.contains("(this device)"), "{page}");
    assert!(page.contains("127.0.0.1"), "{page}");
    let offers = page.split("name=which value=").skip(1);
    let ids = offers.filter_map(|offer| offer.split('>').next());
    ids.filter(|id| *id != "others")
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_person_signs_out_one_device_and_then_all_others() {
    let mut program = Program::example("devices", &[]);
    let origin = program.says("listening on ");
    let mut devices = Vec::new();
    for _ in 0..3 {
        let mut device = Person::at(&origin);
        device.sign_in(&mut program, "/auth/login").await;
        devices.push(device);
    }
    let [mut laptop, mut phone, mut tablet] = <[Person; 3]>::try_from(devices).ok().unwrap();
    assert_eq!(others(&mut laptop).await.len(), 2);

    // Renewed last, first: the tablet, then the phone.
    let phone_id = others(&mut laptop).await;
    let mut of_tablet = others(&mut tablet).await;
    of_tablet.retain(|id| phone_id.contains(id));
    let [phone_id] = <[String; 1]>::try_from(of_tablet).unwrap();
    let done = laptop.post("/sign-out", &format!("which={phone_id}")).await;
    assert_eq!(location(&done), "/");
    assert!(location(&phone.get("/").await).starts_with("/auth/login"));
    assert_eq!(others(&mut laptop).await.len(), 1);
    assert_eq!(others(&mut tablet).await.len(), 1);

    // Another person's form can name the session, and cannot end it.
    let mut eve = Person::at(&origin);
    let form = "/auth/login";
    eve.get(form).await;
    eve.post(form, "email=eve%40example.com").await;
    let link = program.says("sign-in link for eve@example.com: ");
    eve.follow(&link).await;
    assert_eq!(others(&mut eve).await, Vec::<String>::new());
    for which in [&others(&mut laptop).await[0], "others"] {
        eve.post("/sign-out", &format!("which={which}")).await;
    }
    assert_eq!(others(&mut tablet).await.len(), 1);

    laptop.post("/sign-out", "which=others").await;
    assert!(location(&tablet.get("/").await).starts_with("/auth/login"));
    assert_eq!(others(&mut laptop).await, Vec::<String>::new());
    let out = laptop.post("/auth/logout", "").await;
    assert_eq!(out.status(), 303);
}
