/** A page in TypeScript: everything of the client that a developer meets first. Compiled, never run. */
import { Call, MosaicError, PROTOCOL_VERSION, join, type Participant, type Wire } from "../../../src/web/mosaic.js";

export async function attend(stream: MediaStream, video: HTMLVideoElement): Promise<Call> {
  const call = await join({ room: "demo", name: "Ann", stream, auth: async () => "token", carrier: "sse" });
  video.srcObject = call.stream;

  call.addEventListener("participants", ({ detail }) => {
    const who: Participant | null = detail.participant;
    if (detail.change === "left" && who !== null) console.log(who.name, detail.reason);
  });
  call.addEventListener("chat", ({ detail }) => console.log(detail.number, detail.text));
  call.addEventListener("state", ({ detail }) => console.log(detail.state, detail.error?.code));

  call.prefer({ layout: "speaker", max_kbps: 300, video: true });
  await call.moderate("mute", { participant: "p3", how: "hold" });
  await call.moderate("lobby", { on: true });
  await call.moderate("end");
  await call.chat("hello").catch((error: unknown) => {
    if (error instanceof MosaicError) console.log(error.code, error.retryAfterMs);
  });
  const { rtt_ms } = await call.stats();
  console.log(rtt_ms === null ? "no media" : rtt_ms.toFixed(), call.quality?.rung?.fps);

  // @ts-expect-error there is no such event
  call.addEventListener("dance", () => {});
  // @ts-expect-error an act has its own fields
  await call.moderate("lobby", { participant: "p3" });
  // @ts-expect-error one's role is for the server to say
  call.role = "moderator";
  return call;
}

/** A client of its own, from the messages alone. */
export function reply(event: Wire.Event): Wire.ClientMessage | null {
  switch (event.type) {
    case "joined":
      return { type: "offer", id: event.seq, sdp: event.session ?? "" };
    case "error":
      return event.code === "no_session" ? { type: "join", version: PROTOCOL_VERSION, room: "demo" } : null;
    case "candidate":
      return { type: "candidate", candidate: event.candidate };
    case "room":
      return { type: "prefer", layout: event.layout ?? "grid" };
    case "bye":
      // @ts-expect-error no such reason
      return event.reason === "tired" ? { type: "leave" } : null;
    default:
      return null;
  }
}
