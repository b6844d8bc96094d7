// Brings a running run up to date; without scripts the page reloads itself.
const part = document.querySelector("[data-live]");
const said = document.getElementById("said");
const EVERY_MS = 1000;
const SLOWER_MS = 5000;

async function refresh() {
  let next = EVERY_MS;
  try {
    const answer = await fetch(part.dataset.live, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    if (answer.headers.get("Run-Ended") === "yes") return location.reload();
    part.innerHTML = await answer.text();
    const message = part.querySelector(".facts").textContent.replace(/\s+/g, " ").trim();
    if (said.textContent !== message) said.textContent = message;
  } catch {
    next = SLOWER_MS;
  }
  setTimeout(refresh, document.hidden ? SLOWER_MS : next);
}

setTimeout(refresh, EVERY_MS);
