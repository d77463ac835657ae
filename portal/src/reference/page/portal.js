"use strict";

// Two steps: take a challenge, hand in the proof. All text goes in as text, never as markup.
const at = (id) => document.getElementById(id);
let challenge = null;

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { ok: response.ok, body: await response.json() };
}

function show(answer) {
  at("message").textContent = answer.message || answer.name || "";
  at("verdict").textContent = JSON.stringify(answer, null, 2);
}

at("ask").addEventListener("click", async () => {
  const answer = await post("/challenge", { account: at("account").value, purpose: "confirm_identity" });
  if (!answer.ok) {
    show(answer.body);
    return;
  }
  challenge = answer.body.challenge;
  at("challenge").textContent = JSON.stringify(answer.body, null, 2);
  at("send").disabled = false;
});

at("send").addEventListener("click", async () => {
  let proof;
  try {
    proof = JSON.parse(at("proof").value);
  } catch (error) {
    at("message").textContent = String(error.message);
    return;
  }
  const answer = await post("/proof", { challenge, proof });
  at("send").disabled = true;
  show(answer.body);
});
