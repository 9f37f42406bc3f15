// Node's HTTP clients: node node_clients.mjs NAME API SMALL OTHER URL
// PACKAGES is the folder that has node_modules.
import { createReadStream, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const [name, api, small, other, url] = process.argv.slice(2);
const shape = `${api}/shape`;
const { resolve } = createRequire(`${process.env.PACKAGES}/index.js`);
const load = (module) => import(pathToFileURL(resolve(module)));
const require = createRequire(`${process.env.PACKAGES}/index.js`);
const bytes = { small: readFileSync(small), other: readFileSync(other) };
const blob = (key) => new Blob([bytes[key]], { type: "image/jpeg" });
const text = (body) => (typeof body === "string" ? body : JSON.stringify(body));
const show = (kind, body) => console.log(`${kind}\t${text(body).trim()}`);
const zipped = { "Content-Type": "image/jpeg", "Content-Encoding": "gzip" };

function form(field, Form = FormData) {
  const data = new Form();
  data.append(field, blob("small"), "a.jpg");
  data.append(field, blob("other"), "b.jpg");
  return data;
}

function whole(Form = FormData) {
  const data = form("image", Form);
  data.append("url", url);
  return data;
}

function one() {
  const data = new FormData();
  data.append("image", blob("small"), "a.jpg");
  return data;
}

async function useFetch(fetch) {
  const post = async (kind, body, headers) =>
    show(kind, await (await fetch(shape, { method: "POST", body, headers })).text());
  await post("form", whole());
  await post("file", one());
  await post("url", new URLSearchParams({ url }));
  await post("json", JSON.stringify({ url }), { "Content-Type": "application/json" });
  await post("array", form("image[]"));
  await post("base64", `data:image/jpeg;base64,${bytes.small.toString("base64")}`);
  await post("gzip", gzipSync(bytes.small), zipped);
}

const clients = {
  fetch: () => useFetch(fetch),
  undici: async () => {
    const undici = require("undici");
    globalThis.FormData = undici.FormData;
    await useFetch(undici.fetch);
  },
  "node-fetch": async () => {
    const module = await load("node-fetch");
    globalThis.FormData = module.FormData;
    globalThis.Blob = module.Blob;
    await useFetch(module.default);
  },
  ky: async () => {
    const ky = (await load("ky")).default;
    show("form", await ky.post(shape, { body: whole() }).text());
    show("file", await ky.post(shape, { body: one() }).text());
    show("url", await ky.post(shape, { body: new URLSearchParams({ url }) }).text());
    show("json", await ky.post(shape, { json: { url } }).text());
    show("array", await ky.post(shape, { body: form("image[]") }).text());
  },
  axios: async () => {
    const axios = require("axios");
    const array = { image: [createReadStream(small), createReadStream(other)] };
    show("form", (await axios.post(shape, whole())).data);
    show("file", (await axios.postForm(shape, { image: createReadStream(small) })).data);
    show("url", (await axios.post(shape, new URLSearchParams({ url }))).data);
    show("json", (await axios.post(shape, { url })).data);
    show("array", (await axios.postForm(shape, array)).data);
    show("gzip", (await axios.post(shape, gzipSync(bytes.small), { headers: zipped })).data);
  },
  got: async () => {
    const got = (await load("got")).default;
    show("form", await got.post(shape, { body: whole() }).text());
    show("file", await got.post(shape, { body: one() }).text());
    show("url", await got.post(shape, { form: { url } }).text());
    show("json", await got.post(shape, { json: { url } }).text());
    show("array", await got.post(shape, { body: form("image[]") }).text());
    show("gzip", await got.post(shape, { body: gzipSync(bytes.small), headers: zipped }).text());
  },
  superagent: async () => {
    const agent = require("superagent");
    const post = async (kind, request) => show(kind, (await request).body);
    await post("form", agent.post(shape).attach("image", small).attach("image", other).field("url", url));
    await post("file", agent.post(shape).attach("image", small));
    await post("url", agent.post(shape).type("form").send({ url }));
    await post("json", agent.post(shape).send({ url }));
    await post("array", agent.post(shape).attach("image[]", small).attach("image[]", other));
  },
  needle: async () => {
    const needle = require("needle");
    const file = (path) => ({ file: path, content_type: "image/jpeg" });
    const multipart = { multipart: true };
    const post = async (kind, body, options) => show(kind, (await needle("post", shape, body, options)).body);
    await post("file", { image: file(small) }, multipart);
    await post("url", { url });
    await post("json", { url }, { json: true });
    await post("array", { image: [file(small), file(other)] }, multipart);
    await post("form", { image: [file(small), file(other)], url }, multipart);
  },
};

await clients[name]();
