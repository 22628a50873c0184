"""Tagged PDF on ReportLab's canvas: text measuring, pages with marked content, and the structure tree."""
