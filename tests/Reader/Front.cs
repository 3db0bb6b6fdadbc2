namespace Groundwork.Tests.Reader;

/// <summary>What the clients watch: the section <c>Front</c>.</summary>
internal sealed class Front
{
    public int Percent { get; set; }
}
