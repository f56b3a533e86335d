// A program for an environment of its own: the AWS SDK for JavaScript, as it comes, against the emulator given as its
// argument. The second argument is a JSON object of calls by name, as boto3's: [client, method, members]. Prints one
// JSON object by the same names: what the SDK made of each answer, or the error that it threw. A call of the client
// "emulator" is a plain request to the routes that are not part of the service.

import * as events from "@aws-sdk/client-personalize-events";
import * as runtime from "@aws-sdk/client-personalize-runtime";

const [url, calls] = [process.argv[2], JSON.parse(process.argv[3])];

const options = {
  endpoint: url,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  maxAttempts: 1,
};
const sdks = {
  "personalize-runtime": [runtime, new runtime.PersonalizeRuntimeClient(options)],
  "personalize-events": [events, new events.PersonalizeEventsClient(options)],
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

async function told(service, method, members) {
  const [sdk, client] = sdks[service];
  try {
    const { $metadata, ...answer } = await client.send(new sdk[command(method)](dated(members)));
    return { answer, status: $metadata.httpStatusCode, requestId: $metadata.requestId };
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
    };
  }
}

async function asked(method, members) {
  const body = Object.keys(members).length ? JSON.stringify(members) : undefined;
  return (await fetch(`${url}/_emulator/faults`, { method, body })).json();
}

const results = {};
for (const [name, [client, method, members]] of Object.entries(calls)) {
  results[name] = client === "emulator" ? await asked(method, members) : await told(client, method, members);
}
console.log(JSON.stringify(results));
