// The types of openapi-typescript, used by openapi-fetch.
import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/index.js";

const [api, ...names] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: api });
const form = new FormData();
for (const name of names) form.append("image", await openAsBlob(name), basename(name));
// The definition's binary strings are strings for openapi-typescript; the form is sent as it is.
const options = { body: {}, bodySerializer: () => form };
const plain = await client.POST("/predict", options);
console.log("plain", ...(plain.data as components["schemas"]["PredictAnswer"]).map((vehicles) => vehicles.length));
const details = await client.POST("/predict_details", { ...options, params: { query: { top: 1 } } });
for (const { filename, predictions } of details.data!.images) console.log(filename, predictions[0]!.class_name);
