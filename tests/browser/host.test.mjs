/**
 * The conference page for those who lead a call, and for those who are led: menus, hands, messages,
 * the lobby, and the ways out.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, test } from "node:test";

import { browser, daemon } from "./ground.mjs";
import { until } from "./until.mjs";
import { joining, visit } from "./visitor.mjs";

let host;
let bob;

before(async () => {
  host = await visit(browser, daemon.url, { path: joining("led", "Hanna") });
  await host.inCall();
  bob = await visit(browser, daemon.url, { path: joining("led", "Bob") });
  await bob.inCall();
  await until("Bob at Hanna's", host.tiles, ({ length }) => length === 2);
});

const note = (visitor, words) => until(`“${words}”`, () => visitor.text("#toasts"), (text) => text.includes(words));
const isPressed = (visitor, button, value) =>
  until(`${button} to be ${value}`, () => visitor.attribute(button, "aria-pressed"), (pressed) => pressed === String(value));
const row = (visitor, name) => visitor.page.locator("#people li", { hasText: name });
const item = (visitor, label) => visitor.page.locator("#menu button", { hasText: new RegExp(`^${label}$`) });

/** Chooses from somebody's menu, which is made when it opens: what is news by then is in the next one. */
async function choose(visitor, name, label) {
  if (await visitor.page.locator("#panel-people").isHidden()) await visitor.page.click("#show-people");
  const button = row(visitor, name).locator("button");
  await until(`“${label}” in the menu`, async () => {
    await button.click();
    if (await item(visitor, label).count() > 0) return true;
    await button.click();
    return false;
  });
  await item(visitor, label).click();
}

/** Chooses from the menu of the room. */
async function chooseForRoom(visitor, label) {
  if (await visitor.page.locator("#panel-people").isVisible()) await visitor.page.click("#panel-people [data-close-panel]");
  await visitor.page.click("#show-more");
  await item(visitor, label).click();
}

describe("a call with a host at the page", () => {
  test("the first one moderates, which all can read, and has more to choose from than others", async () => {
    await bob.page.click("#show-people");
    assert.match(await row(bob, "Hanna").innerText(), /Moderator/);
    assert.ok(await row(bob, "Bob").locator("button").isHidden(), "there is nothing to do about oneself");

    await row(bob, "Hanna").locator("button").click();
    assert.deepEqual(await bob.page.locator("#menu button").allInnerTexts(), ["Large for you"]);
    await bob.page.keyboard.press("Escape");
    await bob.page.click("#show-more");
    assert.equal(await item(bob, "Lock the room").count(), 0);
    await bob.page.keyboard.press("Escape");
    await bob.page.click("#panel-people [data-close-panel]");
  });

  test("who is muted by the host is told by whom, sees it at the button, and may unmute", async () => {
    await choose(host, "Bob", "Mute");

    await isPressed(bob, "#mute", true);
    await note(bob, "Hanna muted you");
    await until("the host to read it", () => row(host, "Bob").innerText(), (text) => text.includes("Muted by you"));

    await bob.page.click("#mute");
    await isPressed(bob, "#mute", false);
    await until("it to be over", () => row(host, "Bob").innerText(), (text) => !text.includes("Muted by you"));
  });

  test("who is kept muted is told so, until they are asked to speak and agree", async () => {
    await choose(host, "Bob", "Mute, and keep muted");
    await isPressed(bob, "#mute", true);

    await bob.page.keyboard.press("m");
    await note(bob, "keeps your microphone off");
    await isPressed(bob, "#mute", true);

    await choose(host, "Bob", "Let them speak");
    const ask = bob.page.locator("#asks .ask");
    await until("the question", () => ask.innerText(), (text) => text.includes("Hanna asks you to speak."));
    await ask.getByRole("button", { name: "Unmute" }).click();
    await isPressed(bob, "#mute", false);
    await until("the question to go", () => ask.count(), (count) => count === 0);
  });

  test("who is asked decides, and nothing is done for them", async () => {
    await choose(host, "Bob", "Ask to mute");
    const ask = bob.page.locator("#asks .ask");
    await until("the question", () => ask.innerText(), (text) => text.includes("Hanna asks you to mute your microphone."));
    await ask.getByRole("button", { name: "Not now" }).click();
    assert.equal(await bob.attribute("#mute", "aria-pressed"), "false");

    await choose(host, "Bob", "Ask to mute");
    await ask.getByRole("button", { name: "Mute", exact: true }).click();
    await isPressed(bob, "#mute", true);
    await bob.page.click("#mute");
    await isPressed(bob, "#mute", false);
  });

  test("a camera that the host turned off is dark at its owner's, too", async () => {
    await choose(host, "Bob", "Turn camera off");

    await isPressed(bob, "#camera", true);
    await note(bob, "Hanna turned your camera off");
    await until("a placeholder", host.tiles, (tiles) => tiles.some(({ name, hasPlaceholder }) => name === "Bob" && hasPlaceholder));

    await bob.page.keyboard.press("v");
    await isPressed(bob, "#camera", false);
    await until("the picture again", host.tiles, (tiles) => tiles.every(({ hasPlaceholder }) => !hasPlaceholder));
  });

  test("a raised hand is seen by all, comes first in the list, and is lowered by the host", async () => {
    await bob.page.keyboard.press("h");

    await isPressed(bob, "#hand", true);
    await note(host, "Bob raised a hand");
    await until("Bob to come first", host.people, ([first]) => first.includes("Bob"));
    await host.page.locator("#tiles .tile.has-hand", { hasText: "Bob" }).waitFor();

    await choose(host, "Bob", "Lower hand");
    await isPressed(bob, "#hand", false);
    await note(bob, "Your hand is down");
    await until("the order of coming", host.people, ([first]) => first.includes("Hanna"));
  });

  test("whom one clicks on is large to oneself alone, and whom the host pins to everybody else", async () => {
    const isLarge = async (visitor, name) => {
      const [first, second] = await visitor.tiles();
      return first.name.startsWith(name) && first.width > 1.5 * second.width;
    };
    const alike = async (visitor) => (await visitor.tiles()).every(({ width }, _, [first]) => Math.abs(width - first.width) < 0.01);
    for (const one of [host, bob]) await one.atBest();

    await bob.page.locator("#tiles .tile", { hasText: "Hanna" }).click();
    await until("Hanna to be large", () => isLarge(bob, "Hanna"));
    await until("nobody to be large to Hanna", () => alike(host));
    await bob.page.locator("#tiles .tile", { hasText: "Hanna" }).click();
    await until("all alike", () => alike(bob));

    await choose(host, "Bob", "Large for everybody");
    await until("Bob to be large", () => isLarge(host, "Bob"));
    await note(bob, "Everybody sees you large now");
    await choose(host, "Bob", "Large for everybody");
    await until("all alike", () => alike(host));
  });

  test("a menu goes by keys alone, and gives the focus back", async () => {
    const focused = () => host.page.evaluate(() => document.activeElement.textContent.trim());
    await host.page.locator("#show-more").focus();
    await host.page.keyboard.press("ArrowDown");

    assert.equal(await focused(), "As in the room");
    assert.equal(await host.attribute("#show-more", "aria-expanded"), "true");
    await host.page.keyboard.press("ArrowUp");
    assert.match(await focused(), /^End the call/);
    await host.page.keyboard.press("l");
    assert.equal(await focused(), "Lock the room", "a letter leads to what begins with it");
    await host.page.keyboard.press("Escape");

    assert.equal(await host.page.evaluate(() => document.activeElement.id), "show-more");
    assert.ok(await host.page.locator("#menu").isHidden());
  });

  test("a menu lies above the picture in full screen, too", async () => {
    await host.page.keyboard.press("f");
    await until("full screen", () => host.page.evaluate(() => document.fullscreenElement?.id === "call"));

    await host.page.keyboard.press("r");
    await item(host, "All alike").first().click();
    await until("the choice", () => host.page.evaluate(() => document.fullscreenElement !== null
      && document.querySelector("#menu").hidden));
    await host.page.keyboard.press("r");
    assert.equal(await item(host, "All alike").first().getAttribute("aria-checked"), "true");
    await item(host, "As in the room").click();
    await host.page.keyboard.press("f");
    await until("the window", () => host.page.evaluate(() => document.fullscreenElement === null));
  });
});

describe("messages at the page", () => {
  const words = (visitor) => visitor.page.locator("#chat-log .chat-words").allInnerTexts();

  test("they go both ways, are counted until they are read, and are never more than text", async () => {
    const text = `<b>Hi</b> https://mosaic.example/`;
    await bob.page.keyboard.press("t");
    await bob.page.keyboard.type(text);
    await bob.page.keyboard.press("Enter");

    await until("a count", () => host.text("#unread"), (count) => count === "1");
    assert.equal(await host.attribute("#show-chat", "aria-label"), "Messages, 1 not read");
    await note(host, "Bob: <b>Hi</b>");
    await host.page.keyboard.press("t");
    assert.equal(await host.text("#unread"), "");
    assert.deepEqual(await words(host), [text]);
    assert.equal(await host.page.locator("#chat-log b, #chat-log a").count(), 0);

    await host.page.keyboard.type("Line one");
    await host.page.keyboard.press("Shift+Enter");
    await host.page.keyboard.type("line two");
    await host.page.keyboard.press("Enter");
    await until("the answer", () => words(bob), (all) => all[1] === "Line one\nline two");
    assert.equal(await bob.text("#unread"), "", "what one sees needs no count");
  });

  test("who comes later reads what was written", async () => {
    const late = await visit(browser, daemon.url, { path: joining("led", "Late") });
    await late.inCall();

    assert.equal(await late.text("#unread"), "2");
    await late.page.keyboard.press("t");
    assert.equal((await words(late)).length, 2);
    assert.deepEqual(await late.page.locator("#chat-log .chat-name").allInnerTexts(), ["Bob", "Hanna"]);
    await late.page.click("#leave");
    await late.close();
  });

  test("who writes too fast or too much is told, and keeps what was written", async () => {
    const field = bob.page.locator("#chat-text");
    for (let n = 0; await bob.page.locator("#chat-problem").isHidden() && n < 20; n += 1) {
      await field.fill(`${n}`);
      await field.press("Enter");
      await until("an answer", async () => await field.inputValue() !== "" || (await words(bob)).at(-1) === `${n}`);
    }
    assert.match(await bob.text("#chat-problem"), /^Not sent\. That was too much at once\. Try again in a second\.$/);
    assert.notEqual(await field.inputValue(), "");

    await field.fill("ä".repeat(1_001));
    await field.press("Enter");
    await until("the reason", () => bob.text("#chat-problem"), (text) => text.includes("too long"));
    await field.fill("");
    await bob.page.click("#panel-chat [data-close-panel]");
    await host.page.click("#panel-chat [data-close-panel]");
  });
});

describe("the ways in and out of a room with a host", () => {
  test("who comes to the lobby waits in order, and gets in or not as the host says", async () => {
    await chooseForRoom(host, "Ask before letting anybody in");
    const first = await visit(browser, daemon.url, { path: joining("led", "First") });
    await until("the place", () => first.text("#waiting-text"), (text) => text === "You are next.");
    assert.equal(await first.text("#waiting-title"), "Waiting to be let into “led”");
    const second = await visit(browser, daemon.url, { path: joining("led", "Second") });
    await until("the place", () => second.text("#waiting-text"), (text) => text === "One person is before you.");
    const ask = host.page.locator("#asks .ask");
    await until("two who wait to be counted", () => host.text("#count"), (count) => count === "2");
    await until("both at the host's", () => ask.innerText(), (text) => text.includes("2 people want to come in."));
    assert.equal(await bob.page.locator("#asks .ask").count(), 0, "that is for moderators");

    await ask.getByRole("button", { name: "Show them" }).click();
    await host.page.getByRole("button", { name: "Turn away: Second" }).click();
    await until("the reason", () => second.text("#lobby-notice"), (text) => text === "A moderator did not let you in.");
    assert.ok(await second.page.locator("#join").isVisible(), "one may try again");
    await second.close();
    await until("one at the host's", () => host.text("#knocking-title"), (text) => text === "Waiting to be let in (1)");
    await host.page.getByRole("button", { name: "Let in: First" }).click();
    await first.inCall();
    await host.page.locator("#knocking").waitFor({ state: "hidden" });
    await first.page.click("#leave");
    await first.page.locator("#lobby").waitFor();

    await first.page.click("#join");
    await first.page.locator("#waiting").waitFor();
    await first.page.click("#stop-waiting");
    await until("the form", () => first.text("#lobby-notice"), (text) => text === "You no longer wait.");
    await until("nobody to wait", () => host.page.locator("#asks .ask").count(), (count) => count === 0);
    await chooseForRoom(host, "Ask before letting anybody in");

    await chooseForRoom(host, "Lock the room");
    await host.page.locator("#bar-locked").waitFor();
    await first.page.click("#join");
    await until("the reason", () => first.text("#lobby-notice"), (text) => text.startsWith("This room is locked"));
    await chooseForRoom(host, "Lock the room");
    await note(bob, "The room is open again");
    assert.deepEqual(first.errors, []);
    await first.close();
  });

  test("who is removed is told so, with the camera off; the question before it may be denied", async () => {
    const guest = await visit(browser, daemon.url, { path: joining("led", "Guest") });
    await guest.inCall();

    await choose(host, "Guest", "Remove…");
    await host.page.locator("#dialog-confirm").getByRole("button", { name: "Cancel" }).click();
    assert.equal((await guest.call()).state, "connected");
    await choose(host, "Guest", "Remove and ban…");
    await host.page.click("#confirm-yes");

    await until("the reason", () => guest.text("#lobby-notice"), (text) => text === "A moderator removed you from the call.");
    assert.equal(await guest.page.evaluate(() => document.querySelector("#preview").srcObject), null);
    await note(bob, "Guest was removed");
    const ask = host.page.locator("#asks .ask");
    await until("the host to hear what a ban is worth", () => ask.innerText(), (text) => text.includes("can come back"));
    await ask.getByRole("button", { name: "Lock the room" }).click();
    await host.page.locator("#bar-locked").waitFor();
    await guest.page.click("#join");
    await until("the reason", () => guest.text("#lobby-notice"), (text) => text.startsWith("This room is locked"));
    await chooseForRoom(host, "Lock the room");
    await note(bob, "The room is open again");
    await guest.close();
  });

  test("a moderator by a moderator's word may end the call, for everybody, after a question", async () => {
    await choose(host, "Bob", "Make moderator");
    await note(bob, "You moderate now");
    await choose(bob, "Bob", "Stop moderating");
    await note(bob, "You no longer moderate");
    await until("the host to know", () => row(host, "Bob").innerText(), (text) => !text.includes("Moderator"));
    await row(host, "Hanna").locator("button").click();
    assert.equal(await item(host, "Stop moderating").count(), 0, "somebody has to");
    await host.page.keyboard.press("Escape");
    await choose(host, "Bob", "Make moderator");
    await until("the role", () => bob.page.evaluate(() => window.mosaic.call.role), (role) => role === "moderator");

    await chooseForRoom(bob, "End the call for everybody…");
    await bob.page.click("#confirm-yes");

    for (const one of [host, bob]) {
      await until("the end", () => one.text("#lobby-notice"), (text) => text === "The call was ended for everybody.");
      assert.deepEqual(one.errors, []);
    }
  });

  test("there are words for every way in which a join fails or a call ends", async () => {
    const protocol = await readFile(new URL("../../PROTOCOL.md", import.meta.url), "utf8");
    const byes = [...protocol.split("### bye")[1].split("### error")[0].matchAll(/^\| `(\w+)` \|/gm)];
    const refusals = [...protocol.split("### error")[1].matchAll(/^\| `(\w+)` \|[^|]*`join`[^|]*\|/gm)];
    // The first is the table's head; those two the client deals with itself.
    const codes = [...byes.slice(1), ...refusals].map(([, code]) => code).filter((code) => !["bad_token", "already_joined"].includes(code));
    assert.ok(codes.length > 20, `the tables are found: ${codes}`);

    const wordless = await bob.page.evaluate(async (codes) => {
      const { sentence } = await import("./words.js");
      return codes.filter((code) => sentence({ code, message: "no words" }) === "No words.");
    }, codes);
    assert.deepEqual(wordless, []);
    const waits = await bob.page.evaluate(async () => {
      const { sentence } = await import("./words.js");
      return [1_000, 1_001, 300_000].map((retryAfterMs) => sentence({ code: "rate_limited", retryAfterMs }));
    });
    assert.deepEqual(waits.map((text) => text.replace(/^.*Try/, "Try")),
      ["Try again in a second.", "Try again in 2 seconds.", "Try again in 5 minutes."]);
  });

  test("a token in the address is taken out of it at once, and kept by that window alone", async () => {
    const guest = await visit(browser, daemon.url, { path: "/?room=led&name=Guest#auth=secret" });
    const kept = () => guest.page.evaluate(() => sessionStorage.getItem("mosaicd.auth"));

    assert.equal(guest.page.url(), `${daemon.url}/?room=led&name=Guest`);
    assert.equal(await kept(), "secret");
    assert.equal(await guest.page.evaluate(() => JSON.stringify(localStorage).includes("secret")), false);

    await guest.page.evaluate(() => { location.hash = "#auth=other"; });
    await until("the other one", kept, (token) => token === "other");
    assert.equal(guest.page.url(), `${daemon.url}/?room=led&name=Guest`);
    await guest.close();
  });
});
