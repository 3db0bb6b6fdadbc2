namespace Groundwork.Tests.Support;

/// <summary>A directory of one test, deleted with everything in it when the test ends.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("groundwork-test-");

    /// <summary>Absolute path.</summary>
    public string Path => directory.FullName;

    /// <summary>The path of a file or directory in it; nothing is created.</summary>
    public string Combine(params ReadOnlySpan<string> parts) =>
        System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Writes a text file in it, with the directories on the way, and returns its path.</summary>
    public string Write(string name, string content)
    {
        var path = Combine(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!); // A file in this directory has a parent.
        File.WriteAllText(path, content);
        return path;
    }

    public void Dispose()
    {
        try
        {
            directory.Delete(recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // The test deleted it itself, which some do on purpose.
        }
        catch (IOException)
        {
            // A process that was just killed may still create a file while we delete; once more, and then it is a
            // fault.
            directory.Delete(recursive: true);
        }
    }
}
