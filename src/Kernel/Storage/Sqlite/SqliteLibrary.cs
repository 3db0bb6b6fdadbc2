using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Groundwork.Kernel.Storage.Sqlite;

/// <summary>
/// Chooses, once per process, between the SQLite of the operating system, which the distribution patches, and the one
/// that is bundled: the newer wins. <c>GROUNDWORK_SQLITE=bundled</c> or <c>=system</c> decides otherwise; the store
/// suite uses it.
/// </summary>
internal static class SqliteLibrary
{
    public const string Variable = "GROUNDWORK_SQLITE";

    private const string SystemName = "libsqlite3.so.0";
    private const string BundledName = "e_sqlite3"; // The name that the provider imports.

    private static readonly Lazy<string> Loaded = new(Load);

    /// <summary>For people: <c>3.40.1 (system)</c>.</summary>
    public static string Version => Loaded.Value;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int VersionNumber();

    private static string Load()
    {
        var wanted = Environment.GetEnvironmentVariable(Variable);
        var provider = typeof(SQLite3Provider_e_sqlite3).Assembly;
        var system = wanted != "bundled" ? Find(SystemName, null) : null;
        var bundled = wanted != "system" ? Find(BundledName, provider) : null;
        var chosen = system is { } && (bundled is null || system.Value.Number > bundled.Value.Number)
            ? system
            : bundled;
        if (chosen is not { } library)
            throw new DllNotFoundException($"There is no SQLite library ({Variable}={wanted}).");
        NativeLibrary.SetDllImportResolver(
            provider, (name, _, _) => name == BundledName ? library.Handle : 0);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        raw.FreezeProvider();
        return $"{raw.sqlite3_libversion().utf8_to_string()} ({(library == system ? "system" : "bundled")})";
    }

    private static (nint Handle, int Number)? Find(string name, Assembly? assembly)
    {
        var found = assembly is null
            ? NativeLibrary.TryLoad(name, out var handle)
            : NativeLibrary.TryLoad(name, assembly, null, out handle);
        if (!found || !NativeLibrary.TryGetExport(handle, "sqlite3_libversion_number", out var export)) return null;
        return (handle, Marshal.GetDelegateForFunctionPointer<VersionNumber>(export)());
    }
}
