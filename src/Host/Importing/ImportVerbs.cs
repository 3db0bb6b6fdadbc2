using System.CommandLine;
using System.Text.Json;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;

namespace Groundwork.Host.Importing;

/// <summary>
/// <c>import nginx</c> and <c>import yarp</c>: resources on stdout, for <c>apply -f -</c>, and what could not be
/// expressed on stderr. Nothing is sent anywhere.
/// </summary>
internal static class ImportVerbs
{
    private static readonly Argument<string> File = new("file") { Description = "The file, or - for standard input" };

    public static Command Create() =>
        new Verb("import", "Turn another gateway's configuration into resources.", "import nginx nginx.conf", run: null)
        {
            new Verb("nginx", "Turn upstream, server and location blocks into resources.", "import nginx nginx.conf",
                call => RunAsync(call, NginxImport.Read))
            {
                File,
            },
            new Verb("yarp", "Turn YARP's JSON into resources.", "import yarp appsettings.json",
                call => RunAsync(call, YarpImport.Read))
            {
                File,
            },
        };

    private static async Task<int> RunAsync(Call call, Func<string, Imported> read)
    {
        var path = call.Required(File);
        Imported imported;
        try
        {
            var text = path == "-"
                ? await call.Terminal.In.ReadToEndAsync(call.Cancellation)
                : await System.IO.File.ReadAllTextAsync(
                    Path.GetFullPath(path, call.Surroundings.WorkingDirectory), call.Cancellation);
            imported = read(text);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw VerbFailure.Usage($"{path} cannot be read: {fault.Message}");
        }
        catch (Exception fault) when (fault is FormatException or JsonException)
        {
            throw VerbFailure.Usage($"{path} is none: {fault.Message}");
        }
        foreach (var (index, resource) in imported.Resources.Index())
        {
            if (index > 0) call.Terminal.Out.WriteLine("---");
            call.Terminal.Out.Write(YamlWriter.Write(resource));
        }
        if (imported.LeftOut.Count == 0) return ExitCodes.Ok;
        call.Terminal.Error.WriteLine($"groundwork: {imported.LeftOut.Count} things could not be expressed:");
        foreach (var one in imported.LeftOut) call.Terminal.Error.WriteLine($"  {one}");
        return ExitCodes.Ok;
    }
}
