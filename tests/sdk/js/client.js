// A program for an environment of its own: the AWS SDK for JavaScript, as it comes, makes calls. The protocol is that of
// clients.py.

import * as events from "@aws-sdk/client-personalize-events";
import * as runtime from "@aws-sdk/client-personalize-runtime";
import { readFileSync } from "node:fs";

const url = process.argv[2];
const calls = JSON.parse(readFileSync(0, "utf8"));
const sdks = {
  "personalize-runtime": [runtime, runtime.PersonalizeRuntimeClient],
  "personalize-events": [events, events.PersonalizeEventsClient],
};

// get_personalized_ranking -> GetPersonalizedRankingCommand
const command = (method) =>
  method
    .split("_")
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join("") + "Command";

// This SDK takes times as dates.
const dated = (members) =>
  members.eventList
    ? { ...members, eventList: members.eventList.map((one) => ({ ...one, sentAt: new Date(1000 * one.sentAt) })) }
    : members;

async function told(service, method, members, [accessKeyId, secretAccessKey, sessionToken]) {
  const [sdk, Client] = sdks[service];
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  const client = new Client({ endpoint: url, region: "us-east-1", credentials, maxAttempts: 1 });
  let headers = {};
  // A listener next to the wire: the SDK keeps headers to itself.
  client.middlewareStack.add(
    (next) => async (args) => {
      const given = await next(args);
      headers = Object.fromEntries(Object.entries(given.response.headers).filter(([name]) => /^gateway-/.test(name)));
      return given;
    },
    { step: "deserialize", priority: "low" },
  );
  try {
    const { $metadata, ...answer } = await client.send(new sdk[command(method)](dated(members)));
    return { answer, faults: "", status: $metadata.httpStatusCode, requestId: $metadata.requestId, headers };
  } catch (error) {
    const modelled = ["InvalidInputException", "ResourceNotFoundException"].filter(
      (name) => sdk[name] && error instanceof sdk[name],
    );
    return {
      exception: modelled[0] ?? Object.getPrototypeOf(error.constructor).name,
      code: error.name,
      fault: error.$fault,
      status: error.$metadata?.httpStatusCode,
      requestId: error.$metadata?.requestId,
      message: error.message,
      headers,
    };
  } finally {
    client.destroy();
  }
}

const results = {};
for (const [name, call] of Object.entries(calls)) results[name] = await told(...call);
console.log(JSON.stringify(results));
