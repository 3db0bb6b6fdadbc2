using System.Security.Cryptography;
using System.Text;
using Groundwork.Services.Settings.Protocols.Spring.Ciphers;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>
/// Puts together what a client gets: the files of all backends that the request is about, in order of precedence.
/// </summary>
/// <param name="backends">Those in force, in their order.</param>
internal sealed class SpringEnvironments(Func<IReadOnlyList<IConfigBackend>> backends, CipherValues ciphers)
{
    /// <summary>The properties for a request; <c>not_found</c> for a label that nobody has.</summary>
    public async Task<Outcome<SpringEnvironment>> FindAsync(
        SpringQuery query, SettingCaller caller, CancellationToken cancellationToken)
    {
        var opened = await OpenAsync(query, caller, cancellationToken);
        if (!opened.TryGet(out var all, out var fault)) return fault;
        var sources = new List<PropertySource>();
        var versions = new List<string>();
        string? label = null;
        foreach (var files in all)
        {
            var read = await ReadAsync(files, query, caller, sources, cancellationToken);
            if (!read.TryGet(out var version, out fault)) return fault;
            if (version.Length == 0) continue;
            versions.Add(version);
            label ??= files.Label;
        }
        return new SpringEnvironment(query, label ?? query.Label, Joined(versions), sources);
    }

    /// <summary>A file as it is; one of a profile counts before one of none. Null when there is none.</summary>
    public async Task<Outcome<ConfigFile?>> FindFileAsync(
        SpringQuery query, string path, SettingCaller caller, CancellationToken cancellationToken)
    {
        var opened = await OpenAsync(query, caller, cancellationToken);
        if (!opened.TryGet(out var all, out var fault)) return fault;
        foreach (var files in all)
        {
            foreach (var candidate in OfProfiles(path, query.Profiles))
            {
                foreach (var folder in files.Folders)
                {
                    var read = await files.ReadAsync(Join(folder, candidate), application: null, cancellationToken);
                    if (!read.TryGet(out var file, out fault)) return fault;
                    if (file is not null) return file;
                }
            }
        }
        return (ConfigFile?)null;
    }

    private async Task<Outcome<List<ConfigFiles>>> OpenAsync(
        SpringQuery query, SettingCaller caller, CancellationToken cancellationToken)
    {
        var all = new List<ConfigFiles>();
        foreach (var backend in backends())
        {
            var opened = await backend.OpenAsync(query, caller, cancellationToken);
            if (!opened.TryGet(out var files, out var fault)) return fault;
            if (files is not null) all.Add(files);
        }
        return all.Count > 0
            ? all
            : new Fault(ErrorCodes.NotFound, $"No such label: {query.Label}");
    }

    /// <summary>Adds what one backend has, and returns its version; empty when it has nothing.</summary>
    private async Task<Outcome<string>> ReadAsync(
        ConfigFiles files, SpringQuery query, SettingCaller caller, List<PropertySource> sources,
        CancellationToken cancellationToken)
    {
        var versions = new List<string>();
        foreach (var (application, stem) in query.StemsOfApplications)
        {
            foreach (var folder in files.Folders)
            {
                foreach (var extension in PropertyReader.Extensions.Append(""))
                {
                    var path = Join(folder, extension.Length == 0 ? stem : $"{stem}.{extension}");
                    var read = await files.ReadAsync(path, application, cancellationToken);
                    if (!read.TryGet(out var file, out var fault)) return fault;
                    if (file is null || (file.Format ?? PropertyReader.FormatOf(extension)) is not { } format
                        || format is not ("yaml" or "json" or "properties")) continue;
                    var parsed = PropertyReader.Read(file.Name, format, file.Text, query.Profiles);
                    if (!parsed.TryGet(out var documents, out fault)) return fault;
                    var opened = ciphers.Open(documents, file, caller);
                    if (!opened.TryGet(out documents, out fault)) return fault;
                    sources.AddRange(documents);
                    versions.Add($"{file.Name}@{file.Version}");
                }
            }
        }
        return versions.Count == 0 ? "" : files.Version ?? Joined(versions) ?? "";
    }

    // One version stays as it is, such as a commit; of several a digest is made that is as long as a commit's name.
    private static string? Joined(List<string> versions) => versions switch
    {
        [] => null,
        [var only] when !only.Contains('@', StringComparison.Ordinal) => only,
        _ => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', versions))))[..40],
    };

    private static IEnumerable<string> OfProfiles(string path, IReadOnlyList<string> profiles)
    {
        var dot = path.LastIndexOf('.');
        var (stem, extension) = dot > path.LastIndexOf('/') ? (path[..dot], path[dot..]) : (path, "");
        foreach (var profile in profiles.Reverse()) yield return $"{stem}-{profile}{extension}";
        yield return path;
    }

    private static string Join(string folder, string path) => folder.Length == 0 ? path : $"{folder}/{path}";
}
