/** The browser has taken a file by then. */
const keptFor = 60_000

/** Hands a file to the browser, to be saved under a name. */
export function saveFile(name: string, file: Blob): void {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(file)
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), keptFor)
}
