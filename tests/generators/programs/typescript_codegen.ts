// The client of openapi-typescript-codegen.
import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import { OpenAPI, PicturesService } from "./generated/index.js";

const [api, ...paths] = process.argv.slice(2);
OpenAPI.BASE = api!;
const image = await Promise.all(paths.map(async (path) => new File([await openAsBlob(path)], basename(path))));
console.log("plain", ...(await PicturesService.predict({ image })).map((vehicles) => vehicles.length));
const details = await PicturesService.predictDetails({ image }, undefined, 1);
for (const { filename, predictions } of details.images) console.log(filename, predictions[0]!.class_name);
