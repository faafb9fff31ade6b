/**
 * The page for everybody: with a keyboard only, with a screen reader, on a phone, by day and night.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { browser, daemon } from "./ground.mjs";
import { LOOKS, participate } from "./participant.mjs";
import { until } from "./until.mjs";
import { joining, visit } from "./visitor.mjs";

/** Roles that a person operates or enters; a nameless one is a riddle to a screen reader. */
const NAMED_ROLES = new Set([
  "button", "textbox", "combobox", "link", "checkbox", "dialog", "navigation", "complementary", "list", "Video",
  "log", "region", "menu", "group", "menuitem", "menuitemcheckbox", "menuitemradio",
]);

/** WCAG 2.2, 1.4.3: of text against its ground. */
const MIN_CONTRAST = 4.5;

/** WCAG 2.2, 2.5.8: of what is to be hit with a finger, in CSS pixels. */
const MIN_TARGET_PX = 24;

before(async () => {
  await participate(browser, daemon.url, { room: "access", ...LOOKS[0], name: "Dr. Aleksandra Wiśniewska-Kowalczyk" });
});

/** What a screen reader meets and nobody has given a name to. */
async function nameless({ page, context }) {
  const devtools = await context.newCDPSession(page);
  const { nodes } = await devtools.send("Accessibility.getFullAXTree");
  await devtools.detach();
  return nodes
    .filter(({ ignored, role, name }) => !ignored && NAMED_ROLES.has(role?.value) && !name?.value?.trim())
    .map(({ role, nodeId }) => `${role.value} ${nodeId}`);
}

/** Presses Tab from the page's beginning to its end: the ids of where the focus was, and those that did not show it. */
async function tabRound(page) {
  const order = [];
  const unseen = [];
  let rounds = 0;
  for (let presses = 0; presses < 100; presses += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const { activeElement: element } = document;
      if (element === document.body) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return {
        key: element.id || element.getAttribute("aria-label") || element.textContent.trim(),
        isSeen: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2,
      };
    });
    if (stop === null) rounds += 1;
    if (rounds === 2) return { order, unseen };
    if (rounds === 0 || stop === null) continue;
    order.push(stop.key);
    if (!stop.isSeen) unseen.push(stop.key);
  }
  throw new Error(`the focus does not come round: ${order}`);
}

/** Everything on the page that can be operated now, by the same names as in {@link tabRound}. */
const operable = (page) => page.evaluate(() =>
  [...document.querySelectorAll("button, input, select, textarea, a[href], [tabindex='0']")]
    .filter((element) => !element.disabled && element.checkVisibility())
    .map((element) => element.id || element.getAttribute("aria-label") || element.textContent.trim()));

/** Texts too faint on their ground. Runs in the page; grounds with pictures in them are left out. */
function faintTexts(minimum) {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [r, g, b] = color.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor, backgroundImage } = getComputedStyle(at);
      if (backgroundImage !== "none") return null;
      const [r, g, b, alpha] = rgba(backgroundColor);
      if (alpha === 255) return [r, g, b];
      if (alpha > 0) return null;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: element, textContent } = walker.currentNode;
    if (!textContent.trim() || !element.checkVisibility() || element.closest(":disabled, .for-readers, option")) continue;
    const below = ground(element);
    if (!below) continue;
    const text = rgba(getComputedStyle(element).color).slice(0, 3);
    const [light, dark] = [luminance(text), luminance(below)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < minimum) faint.push(`${textContent.trim().slice(0, 40)}: ${contrast.toFixed(2)}`);
  }
  return faint;
}

/** What sticks out of the window to the side, or is too small to be hit. Runs in the page. */
function misfits(minTargetPx) {
  const found = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`the page is ${scrollWidth} wide in a window of ${clientWidth}`);
  for (const element of document.querySelectorAll("button, input, select, textarea")) {
    if (!element.checkVisibility()) continue;
    const { left, right, width, height } = element.getBoundingClientRect();
    const key = element.id || element.getAttribute("aria-label") || element.textContent.trim();
    if (left < -1 || right > clientWidth + 1) found.push(`${key} spans ${left} to ${right} of ${clientWidth}`);
    if (Math.min(width, height) < minTargetPx) found.push(`${key} is ${width}x${height}`);
  }
  return found;
}

/** Presses a button of the bar; small windows have it in the menu at the bar's end. */
async function press({ page }, id, label) {
  if (await page.locator(`#${id}`).isVisible()) {
    await page.click(`#${id}`);
    return;
  }
  await page.click("#show-more");
  await page.locator("#menu button", { hasText: label }).click();
}

/** That everything on a page is where it belongs, large enough, and no fainter than it may be. */
async function checkLooks({ page }, where) {
  assert.deepEqual(await page.evaluate(misfits, MIN_TARGET_PX), [], where);
  assert.deepEqual(await page.evaluate(faintTexts, MIN_CONTRAST), [], where);
}

describe("with a keyboard and a screen reader", () => {
  let guest;

  before(async () => {
    guest = await visit(browser, daemon.url, { path: "/?room=access&name=Guest" });
  });

  after(() => guest?.close());

  async function check(where) {
    assert.deepEqual(await nameless(guest), [], `everything ${where} has a name`);
    const { order, unseen } = await tabRound(guest.page);
    assert.deepEqual([...order].sort(), (await operable(guest.page)).sort(), `Tab reaches everything ${where}`);
    assert.deepEqual(unseen, [], `the focus shows everywhere ${where}`);
  }

  test("the lobby can be operated and read", async () => {
    await until("the preview", () => guest.page.evaluate(() => document.querySelector("#preview").videoWidth));

    await check("in the lobby");
  });

  test("the call can be operated and read", async () => {
    await guest.page.click("#join");
    await guest.inCall();

    await check("in the call");
    await guest.atBest();
    const [first] = await until("both names", () => guest.page.locator("#tiles li").allInnerTexts(), ({ length }) => length === 2);
    assert.match(first, /Dr\. Aleksandra/);
  });

  for (const [panel, key] of [["people", "p"], ["link", "c"], ["chat", "t"]]) {
    test(`the panel ${panel} can be operated, read and closed, and gives the focus back`, async () => {
      await guest.page.locator(`#show-${panel}`).focus();
      await guest.page.keyboard.press("Enter");
      await check(`with the panel ${panel}`);

      await guest.page.locator(`#panel-${panel} [data-close-panel]`).focus();
      await guest.page.keyboard.press("Enter");
      assert.equal(await guest.page.evaluate(() => document.activeElement.id), `show-${panel}`);
      await guest.page.keyboard.press(key);
      assert.ok(await guest.page.locator(`#panel-${panel}`).isVisible());
      await guest.page.keyboard.press("Escape");
      assert.ok(await guest.page.locator(`#panel-${panel}`).isHidden());
    });
  }

  for (const dialog of ["devices", "help"]) {
    test(`the dialog ${dialog} has a name, closes with Escape and gives the focus back`, async () => {
      await guest.page.locator(`#show-${dialog}`).focus();
      await guest.page.keyboard.press("Enter");
      await guest.page.locator(`#dialog-${dialog}`).waitFor();
      assert.deepEqual(await nameless(guest), []);

      await guest.page.keyboard.press("Escape");
      await guest.page.locator(`#dialog-${dialog}`).waitFor({ state: "hidden" });
      await until("the focus to be back", () => guest.page.evaluate(() => document.activeElement.id), (id) =>
        id === `show-${dialog}`);
    });
  }
});

describe("on every screen", () => {
  for (const [name, settings] of Object.entries({
    "a desk by day": { viewport: { width: 1280, height: 760 }, colorScheme: "light" },
    "a desk by night": { viewport: { width: 1280, height: 760 }, colorScheme: "dark" },
    "a phone": { viewport: { width: 390, height: 844 }, colorScheme: "light", isMobile: true, hasTouch: true },
    "a small phone by night": { viewport: { width: 320, height: 568 }, colorScheme: "dark", isMobile: true, hasTouch: true },
    "a phone on its side": { viewport: { width: 844, height: 390 }, colorScheme: "dark", isMobile: true, hasTouch: true },
  })) {
    test(`${name} shows everything, to be read and to be hit`, async () => {
      const guest = await visit(browser, daemon.url, { path: "/?room=access&name=Guest", settings });
      const check = (where) => checkLooks(guest, where);
      await check("in the lobby");

      await guest.page.click("#join");
      await guest.inCall();
      await check("in the call");
      for (const [panel, label] of [["people", ""], ["chat", ""], ["link", "Connection"]]) {
        await press(guest, `show-${panel}`, label);
        await check(`with the panel ${panel}`);
        await guest.page.click(`#panel-${panel} [data-close-panel]`);
      }
      await guest.page.click("#show-more");
      await check("with the menu");
      await guest.page.keyboard.press("Escape");
      await press(guest, "show-devices", "Microphone and camera");
      await check("with the devices");
      await guest.page.keyboard.press("Escape");
      await guest.page.click("#leave");
      await guest.page.locator("#lobby").waitFor();
      await check("back in the lobby");
      assert.deepEqual(guest.errors, []);
      await guest.close();
    });
  }

  for (const [name, settings] of Object.entries({
    "a desk by day": { viewport: { width: 1280, height: 720 }, colorScheme: "light" },
    "a small phone by night": { viewport: { width: 320, height: 568 }, colorScheme: "dark", isMobile: true, hasTouch: true },
  })) {
    test(`a host at ${name} can read and hit all that hosts have, and a guest who waits as well`, async () => {
      const room = `host-${settings.viewport.width}`;
      const host = await visit(browser, daemon.url, { path: joining(room, "Host"), settings });
      await host.inCall();
      await participate(browser, daemon.url, { room, ...LOOKS[1], name: "Dr. Aleksandra Wiśniewska-Kowalczyk", hurry: true });
      await host.page.evaluate(() => window.mosaic.call.moderate("lobby", { on: true }));
      const guest = await visit(browser, daemon.url, { path: joining(room, "Gwendolyn Abernathy-Featherstone"), settings });
      await guest.page.locator("#waiting").waitFor();
      await checkLooks(guest, "while waiting");
      assert.deepEqual(await nameless(guest), []);
      const check = async (where) => {
        await checkLooks(host, where);
        assert.deepEqual(await nameless(host), [], where);
      };
      await host.page.locator("#asks .ask").waitFor();
      await until("both numbers", () => host.attribute("#show-people", "aria-label"), (label) =>
        label === "People, 2 here, 1 waiting");
      await check("with a knock");
      await host.page.click("#show-people");
      await check("with somebody who waits in the list");
      await host.page.locator("#people li", { hasText: "Dr. Aleksandra" }).locator("button").click();
      await check("with somebody's menu");
      await host.page.keyboard.press("Escape");
      await host.page.click("#show-more");
      await check("with the menu of the room");
      await host.page.locator("#menu .danger").focus();
      await host.page.keyboard.press("Enter");
      await host.page.locator("#dialog-confirm").waitFor();
      await check("with a question");
      assert.match(await host.page.evaluate(() => document.activeElement.textContent), /Cancel/, "no slip ends a call");
      assert.deepEqual([...host.errors, ...guest.errors], []);
      await guest.close();
      await host.close();
    });
  }
});
