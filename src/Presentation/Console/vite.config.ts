import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { type Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/**
 * Writes every file compressed as well, after everything that changes files has run. The platform carries only those,
 * and unpacks for the few who cannot.
 */
const compressed = (): Plugin => ({
    name: 'compressed',
    apply: 'build',
    writeBundle({ dir }, bundle) {
        for (const name of Object.keys(bundle)) {
            const file = join(dir ?? '', name)
            writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }))
        }
    },
})

export default defineConfig({
    base: '/console/',
    plugins: [vue(), compressed()],
    test: { environment: 'node' },
    resolve: { alias: { '@schema': path('./obj/schema.ts'), '@': path('./src') } },
    build: { target: 'es2022', modulePreload: { polyfill: false }, reportCompressedSize: false },
    // The host stays what the browser says: the sign-in takes calls of its own pages alone.
    server: { proxy: { '/groundwork': { target: 'http://127.0.0.1:7400', changeOrigin: false } } },
})
