// -- one match, and nothing else ---------------------------------------------------------

async function start() {
  document.body.classList.add("js");
  const place = /^#match=\d+&step=(\d+)$/.exec(location.hash);
  if (await load(DATA.matches[0])) goTo(place ? +place[1] : 0, true);
  document.body.dataset.ready = "1";
}
start();
