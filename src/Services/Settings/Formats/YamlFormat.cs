using Groundwork.Kernel.Documents;

namespace Groundwork.Services.Settings.Formats;

/// <summary>
/// One document of YAML 1.2 with the core schema, read by the kernel's reader with its bounds on aliases and depth.
/// </summary>
internal static class YamlFormat
{
    public static void Check(string content, ContentFaults faults)
    {
        var reading = YamlReader.Read(content);
        foreach (var fault in reading.Faults) faults.Quoting("YAML", fault.Message, fault.Line ?? 1, fault.Column ?? 1);
        if (reading.Documents.Length < 2) return;
        var (line, column) = reading.Documents[1].Locate("");
        faults.Add("has a second document; a setting is one", line, column);
    }
}
