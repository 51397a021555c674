// lists.ts - {items, next} or a bare array: both are lists.
import type { List } from "../lib/types";

export function listOf<T>(data: List<T> | T[] | undefined): T[] {
    if (data === undefined) return [];
    return Array.isArray(data) ? data : (data.items ?? []);
}
