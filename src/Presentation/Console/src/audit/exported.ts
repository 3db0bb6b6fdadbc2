import type { components } from '@schema'

export type Entry = components['schemas']['AuditEntry']

const columns = ['sequence', 'at', 'principal', 'action', 'target', 'outcome', 'count', 'address', 'detail'] as const

/**
 * Rows as comma-separated values (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe:
 * callers choose what stands in a target.
 */
export function csvOf(rows: readonly Entry[]): string {
    const lines = rows.map(row => columns.map(column => cell(row[column])).join(','))
    return [columns.join(','), ...lines].join('\r\n') + '\r\n'
}

function cell(value: unknown): string {
    const text = String(value ?? '')
    const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
