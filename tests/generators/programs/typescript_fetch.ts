// The client of openapi-generator's typescript-fetch.
import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import { Configuration, PicturesApi } from "./generated/index.js";

const [api, ...paths] = process.argv.slice(2);
const image = await Promise.all(paths.map(async (path) => new File([await openAsBlob(path)], basename(path))));
const pictures = new PicturesApi(new Configuration({ basePath: api }));
console.log("plain", ...(await pictures.predict({ image })).map((vehicles) => vehicles.length));
const details = await pictures.predictDetails({ image, top: 1 });
for (const { filename, predictions } of details.images) console.log(filename, predictions[0]!.className);
