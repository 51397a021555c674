// assets_query.ts - the filters of the asset list: what of the page's URL goes to the API, and the commands that ask for the same.
import { link } from "./router";
import { apiCommand, word } from "./shell";
import { url } from "./api";
import type { Query } from "./api";

export const FILTERS = ["kind", "source", "enabled", "admin", "mfa", "sign_in", "tag", "q", "deleted"] as const;

export function filtersOf(query: URLSearchParams): Query {
    return Object.fromEntries(FILTERS.map((name) => [name, query.get(name)]));
}

export function hasFilters(query: URLSearchParams): boolean {
    return FILTERS.some((name) => query.get(name) !== null);
}

// `rollcall entity list` knows a part of the filters; with any other the command asks the API.
export function listCommand(query: URLSearchParams): string {
    const sources = (query.get("source") ?? "").split(",").filter((s) => s !== "");
    const isNative = ["enabled", "admin", "mfa", "sign_in", "tag"].every((name) => query.get(name) === null) && sources.length <= 1;
    if (!isNative) return apiCommand("GET", url("/assets", { ...filtersOf(query), sort: query.get("sort"), limit: 1000 }));
    let command = "rollcall entity list";
    if (sources[0] !== undefined) command += ` -c ${word(sources[0])}`;
    if (query.get("kind") !== null) command += ` -k ${word(query.get("kind") ?? "")}`;
    if (query.get("q") !== null) command += ` -s ${word(query.get("q") ?? "")}`;
    if (query.get("deleted") !== null) command += " --deleted";
    return command;
}

export function assetLink(connector: string, uid: string, query?: Query): string {
    return link(["assets", connector, uid], query);
}
